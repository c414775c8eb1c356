import type { Option } from '../arguments.ts'
import { type Ask, type Command, idOf } from '../command.ts'
import { Unclear } from '../extra.ts'
import { nounOf } from '../nouns/nouns.ts'
import { at } from '../verbs.ts'
import { word } from './words.ts'

const tagTarget: Option[] = [
  {
    flag: '--resource-type',
    key: 'resource_type',
    kind: 'text',
    isRequired: true,
    choices: ['network', 'subnet', 'port', 'router', 'subnetpool'],
    help: 'kind of thing',
  },
  { flag: '--resource', key: 'resource', kind: 'text', isRequired: true, help: 'its name or id' },
]

const tagsPath = async ({ cloud, values }: Ask) => {
  const noun = nounOf(word(values, 'resource_type'))
  return `${at(noun, await idOf(cloud, noun, word(values, 'resource')))}/tags`
}

export const tagAdd: Command = {
  summary: 'Add a tag to a thing.',
  syntax: {
    positionals: [],
    options: [...tagTarget, { flag: '--tag', key: 'tag', kind: 'text', isRequired: true, help: 'the tag' }],
  },
  async run(ask) {
    if (ask.values['tag'] === '') throw new Unclear('Cannot add an empty value as tag')
    await ask.cloud.call('PUT', `${await tagsPath(ask)}/${encodeURIComponent(word(ask.values, 'tag'))}`)
  },
}

export const tagReplace: Command = {
  summary: 'Replace all tags of a thing.',
  syntax: {
    positionals: [],
    options: [
      ...tagTarget,
      { flag: '--tag', key: 'tags', kind: 'many', isRequired: true, metavar: 'TAG', help: 'a tag; may be repeated' },
    ],
  },
  async run(ask) {
    await ask.cloud.call('PUT', await tagsPath(ask), { body: { tags: ask.values['tags'] } })
  },
}

export const tagRemove: Command = {
  summary: 'Take a tag, or all, off a thing.',
  syntax: {
    positionals: [],
    options: [
      ...tagTarget,
      { flag: '--all', key: 'all', kind: 'set', apart: 'which', help: 'all tags' },
      { flag: '--tag', key: 'tag', kind: 'text', apart: 'which', help: 'the tag' },
    ],
  },
  async run(ask) {
    const { all, tag } = ask.values
    if (!all && !tag) throw new Unclear('--all or --tag must be specified')
    const path = await tagsPath(ask)
    await ask.cloud.call('DELETE', all ? path : `${path}/${encodeURIComponent(String(tag))}`)
  },
}
