import type { Row } from '../../output.ts'
import { type Command, idOf } from '../command.ts'
import { hostingAgent } from '../nouns/others.ts'
import { hostedRouter } from '../nouns/routers.ts'
import { at, listCommand } from '../verbs.ts'
import { named, network, router, word } from './words.ts'

/** Networks on DHCP agents and routers on L3 agents, put there and taken away by hand. */
export function hosting(kind: 'dhcp' | 'l3', verb: 'add' | 'remove'): Command {
  const noun = kind === 'dhcp' ? network : router
  const [label, path] = kind === 'dhcp' ? ['DHCP', 'dhcp-networks'] : ['L3', 'l3-routers']
  const agentWord = named('agent', `${label}_AGENT`, 'id of the agent')
  return {
    summary: verb === 'add' ? `Put a ${noun.name} on a ${label} agent.` : `Take a ${noun.name} off a ${label} agent.`,
    syntax: {
      positionals: [agentWord, named(noun.name, noun.name.toUpperCase(), `name or id of the ${noun.name}`)],
      options: [],
    },
    async run({ cloud, values, say }) {
      const id = await idOf(cloud, noun, word(values, noun.name))
      const agent = `/agents/${encodeURIComponent(word(values, 'agent'))}/${path}`
      if (verb === 'add') await cloud.call('POST', agent, { body: { [`${noun.name}_id`]: id } })
      else await cloud.call('DELETE', `${agent}/${id}`)
      say(
        `${verb === 'add' ? 'Added' : 'Removed'} ${noun.name} ${values[noun.name]} ${verb === 'add' ? 'to' : 'from'} ${label} agent\n`,
      )
    },
  }
}

export const smiling = (rows: Row[]): Row[] =>
  rows.map((row) => ('alive' in row ? { ...row, alive: row['alive'] ? ':-)' : 'xxx' } : row))

export const agentsHosting = (kind: 'dhcp' | 'l3'): Command => {
  const noun = kind === 'dhcp' ? network : router
  return listCommand(hostingAgent, {
    summary: `List the agents that have a ${noun.name}.`,
    isOpen: false,
    more: { positionals: [named(noun.name, noun.name.toUpperCase(), `name or id of the ${noun.name}`)] },
    path: async ({ cloud, values }) => `${at(noun, await idOf(cloud, noun, word(values, noun.name)))}/${kind}-agents`,
    extend: async (rows) => smiling(rows),
  })
}

export const routersOnAgent = listCommand(hostedRouter, {
  summary: 'List the routers on an L3 agent.',
  isOpen: false,
  more: { positionals: [named('agent', 'L3_AGENT', 'id of the agent')] },
  path: async ({ values }) => `/agents/${encodeURIComponent(word(values, 'agent'))}/l3-routers`,
})
