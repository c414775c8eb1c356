import type { Row } from '../output.ts'
import type { Option, Positional } from './arguments.ts'
import { type Ask, bodyOf, type Command, idOf, listAll, showList, showOne, withExtra } from './command.ts'
import { Unclear } from './extra.ts'
import type { Noun } from './nouns/noun.ts'
import { nounOf } from './nouns/nouns.ts'
import { listOutput, oneOutput } from './output-options.ts'

/** Rules live below a policy; their commands take the policy's name or id after the rule's id. */
type Kind = { word: string; noun: Noun; options: Option[]; needs: string }

const text = (flag: string, help: string): Option => ({ flag, key: flag.slice(2).replaceAll('-', '_'), kind: 'text', help })
const rule = (word: string, options: Option[], needs: string): Kind => {
  const name = `${word.replaceAll('-', '_')}_rule`
  return { word: `qos-${word}-rule`, noun: { name, plural: `${name}s`, path: `/${name}s`, hasNames: false }, options, needs }
}

const kinds: Kind[] = [
  rule(
    'bandwidth-limit',
    [text('--max-kbps', 'highest rate, in kbit/s'), text('--max-burst-kbps', 'highest burst, in kbit')],
    'Must provide max-kbps or max-burst-kbps option.',
  ),
  rule('dscp-marking', [{ ...text('--dscp-mark', 'the mark'), isRequired: true }], ''),
  rule(
    'minimum-bandwidth',
    [
      text('--min-kbps', 'lowest rate, in kbit/s'),
      { ...text('--direction', 'ingress or egress'), choices: ['ingress', 'egress'] },
    ],
    '',
  ),
]

const policyWord: Positional = { key: 'policy', field: '', metavar: 'QOS_POLICY', help: 'name or id of the policy' }
const idWord = (noun: Noun, many?: 'more'): Positional => ({
  key: 'id',
  field: '',
  metavar: noun.name.toUpperCase(),
  help: 'id of the rule',
  ...(many && { many }),
})

const pathOf = async ({ cloud, values }: Ask, noun: Noun) =>
  `/qos/policies/${await idOf(cloud, nounOf('qos_policy'), String(values['policy']))}${noun.path}`

function commandsOf({ word, noun, options, needs }: Kind): [string, Command][] {
  const body = async (ask: Ask) => {
    const said = withExtra(await bodyOf(ask.cloud, { positionals: [], options }, ask.values), ask.extra)
    if (needs !== '' && Object.keys(said).length === 0) throw new Unclear(needs)
    return { body: { [noun.name]: said } }
  }
  const positionals = [idWord(noun), policyWord]
  const list: Command = {
    summary: `List the ${noun.name.replaceAll('_', ' ')}s of a policy.`,
    syntax: { positionals: [policyWord], options: listOutput },
    run: async (ask) => showList(ask, await listAll(ask.cloud, noun, {}, await pathOf(ask, noun)), noun),
  }
  const show: Command = {
    summary: `Show a ${noun.name.replaceAll('_', ' ')}.`,
    syntax: { positionals, options: oneOutput },
    run: async (ask) =>
      showOne(
        ask,
        (await ask.cloud.call<Record<string, Row>>('GET', `${await pathOf(ask, noun)}/${ask.values['id']}`))[noun.name]!,
        noun,
      ),
  }
  const create: Command = {
    summary: `Create a ${noun.name.replaceAll('_', ' ')}.`,
    isOpen: true,
    syntax: { positionals: [policyWord], options: [...oneOutput, ...options] },
    async run(ask) {
      const made = (await ask.cloud.call<Record<string, Row>>('POST', await pathOf(ask, noun), await body(ask)))[noun.name]!
      if (ask.shape.format === 'table') ask.say(`Created a new ${noun.name}:\n`)
      await showOne(ask, made, noun)
    },
  }
  const update: Command = {
    summary: `Change a ${noun.name.replaceAll('_', ' ')}.`,
    isOpen: true,
    syntax: { positionals, options },
    async run(ask) {
      await ask.cloud.call('PUT', `${await pathOf(ask, noun)}/${ask.values['id']}`, await body(ask))
      ask.say(`Updated ${noun.name}: ${ask.values['id']}\n`)
    },
  }
  const remove: Command = {
    summary: `Delete a ${noun.name.replaceAll('_', ' ')}.`,
    syntax: { positionals, options: [] },
    async run(ask) {
      await ask.cloud.call('DELETE', `${await pathOf(ask, noun)}/${ask.values['id']}`)
      ask.say(`Deleted ${noun.name}(s): ${ask.values['id']}\n`)
    },
  }
  return Object.entries({ list, show, create, update, delete: remove }).map(([verb, command]) => [`${word}-${verb}`, command])
}

const ruleTypes: Noun = { name: 'rule_type', plural: 'rule_types', path: '/qos/rule-types' }

export const qosRuleCommands = (): [string, Command][] => [
  ...kinds.flatMap(commandsOf),
  [
    'qos-available-rule-types',
    {
      summary: 'List the kinds of rules QoS policies may have.',
      syntax: { positionals: [], options: listOutput },
      run: async (ask) => showList(ask, await listAll(ask.cloud, ruleTypes, {}), ruleTypes),
    },
  ],
]
