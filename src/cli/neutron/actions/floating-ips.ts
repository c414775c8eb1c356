import type { Command } from '../command.ts'
import { nouns } from '../nouns/nouns.ts'
import { at } from '../verbs.ts'
import { named, word } from './words.ts'

const floatingWord = named('floatingip_id', 'FLOATINGIP_ID', 'id of the floating IP')

export const associate: Command = {
  summary: 'Lead a floating IP to a port.',
  syntax: {
    positionals: [floatingWord, named('port_id', 'PORT', 'id of the port')],
    options: [
      {
        flag: '--fixed-ip-address',
        hasOldSpelling: true,
        key: 'fixed_ip_address',
        kind: 'text',
        help: 'which address of the port',
      },
    ],
  },
  async run({ cloud, values, say }) {
    const { port_id, fixed_ip_address } = values
    const body = { floatingip: { port_id, ...(fixed_ip_address !== undefined && { fixed_ip_address }) } }
    await cloud.call('PUT', at(nouns['floatingip']!, word(values, 'floatingip_id')), { body })
    say(`Associated floating IP ${values['floatingip_id']}\n`)
  },
}

export const disassociate: Command = {
  summary: 'Lead a floating IP nowhere.',
  syntax: { positionals: [floatingWord], options: [] },
  async run({ cloud, values, say }) {
    await cloud.call('PUT', at(nouns['floatingip']!, word(values, 'floatingip_id')), { body: { floatingip: { port_id: null } } })
    say(`Disassociated floating IP ${values['floatingip_id']}\n`)
  },
}
