import type { Row } from '../../output.ts'
import type { Option } from '../arguments.ts'
import { type Ask, type Command, showOne } from '../command.ts'
import { oneOutput } from '../output-options.ts'
import { router, tenantOptions, tenantWord } from './words.ts'

export const topology: Option[] = [...tenantOptions]

const topologyPath = async (ask: Ask) =>
  `/auto-allocated-topology/${ask.values['tenant_id'] ?? ask.values['pos_tenant_id'] ?? 'None'}`

export const topologyShow: Command = {
  summary: 'Show the network a project is given when it has none.',
  syntax: {
    positionals: [tenantWord],
    options: [
      ...oneOutput,
      ...topology,
      { flag: '--dry-run', key: 'dry_run', kind: 'set', help: 'only look whether it could be given' },
    ],
  },
  async run(ask) {
    const query = ask.values['dry_run'] ? { fields: 'dry-run' } : {}
    const { auto_allocated_topology: found } = await ask.cloud.call<Record<string, Row>>('GET', await topologyPath(ask), {
      query,
    })
    await showOne(ask, found?.['id'] === 'dry-run=pass' ? { 'dry-run': 'pass' } : (found ?? {}), router)
  },
}

export const topologyDelete: Command = {
  summary: 'Delete the network a project was given.',
  syntax: { positionals: [tenantWord], options: topology },
  async run(ask) {
    await ask.cloud.call('DELETE', await topologyPath(ask))
    ask.say(`Deleted topology for tenant ${ask.values['tenant_id'] ?? ask.values['pos_tenant_id'] ?? 'None (i.e. yours)'}.\n`)
  },
}
