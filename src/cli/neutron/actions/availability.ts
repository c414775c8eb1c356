import type { Row } from '../../output.ts'
import type { Option } from '../arguments.ts'
import { type Command, idOf, showOne } from '../command.ts'
import { oneOutput } from '../output-options.ts'
import { named, network, word } from './words.ts'

export const availability = {
  name: 'network_ip_availability',
  plural: 'network_ip_availabilities',
  path: '/network-ip-availabilities',
}

export const ipFilters: Option[] = [
  {
    flag: '--ip-version',
    key: 'ip_version',
    kind: 'integer',
    choices: ['4', '6'],
    preset: 4,
    metavar: '{4,6}',
    help: 'version of IP, default 4',
  },
  { flag: '--network-id', key: 'network_id', kind: 'text', help: 'only this network' },
  { flag: '--network-name', key: 'network_name', kind: 'text', help: 'only networks of this name' },
  { flag: '--tenant-id', key: 'tenant_id', kind: 'text', help: 'only those of this project' },
]

export const availabilityShow: Command = {
  summary: 'Show how many addresses of a network are used.',
  syntax: { positionals: [named('network_id', 'NETWORK', 'name or id of the network')], options: oneOutput },
  async run(ask) {
    const id = await idOf(ask.cloud, network, word(ask.values, 'network_id'))
    await showOne(
      ask,
      (await ask.cloud.call<Record<string, Row>>('GET', `${availability.path}/${id}`))[availability.name]!,
      availability,
    )
  },
}
