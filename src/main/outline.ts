import { silentLog } from '../kit/log.ts'
import { type Cloud, openCloud } from './cloud.ts'

/** A cloud that is only looked at: for documents, coverage and invariants. It listens nowhere and works at nothing. */
export const outlineCloud = (): Promise<Cloud> =>
  openCloud({
    database: ':memory:',
    region: 'RegionOne',
    adminPassword: 'outline',
    hashing: 'weak',
    network: {
      tenantTypes: ['vxlan'],
      flat: ['*'],
      vlanRanges: [],
      vniRanges: [[1, 1000]],
      tunnelIdRanges: [[1, 1000]],
      physicalMtu: 1500,
    },
    hosts: { hint() {}, ask: async () => undefined },
    url: (service) => `http://${service}.invalid`,
    log: silentLog,
  })
