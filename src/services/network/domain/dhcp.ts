import { toJson } from '../../../kit/db/columns.ts'
import type { NetworkRow } from '../tables.ts'
import { subnetsOf } from './addresses.ts'
import { homeDhcp } from './homes.ts'
import { createPort, removePort, setAddresses } from './ports.ts'
import type { Change } from './store.ts'

/** A network has a server, and a port for it with an address in each subnet that wants one, or neither. */
export async function keepDhcp(change: Change, network: NetworkRow): Promise<void> {
  const { tx } = change
  const served = (await subnetsOf(tx, network.id)).filter((subnet) => subnet.enable_dhcp === 1)
  const dhcp = await tx.selectFrom('network_dhcp').selectAll().where('network_id', '=', network.id).executeTakeFirst()
  if (served.length === 0) return dropDhcp(change, network.id)
  const asks = served.map((subnet) => ({ subnetId: subnet.id, ip: undefined }))
  const port = dhcp && (await tx.selectFrom('network_port').selectAll().where('id', '=', dhcp.port_id).executeTakeFirst())
  if (port) {
    await setAddresses(change, network, port, asks)
  } else {
    await tx.deleteFrom('network_dhcp').where('network_id', '=', network.id).execute()
    const made = await createPort(change, {
      projectId: network.project_id,
      network,
      deviceId: `dhcp-${network.id}`,
      deviceOwner: 'network:dhcp',
      fixedIps: asks,
      portSecurity: false,
    })
    await tx
      .insertInto('network_dhcp')
      .values({ network_id: network.id, host: '', port_id: made.id, ready: 0, trouble: '', leases: toJson([]) })
      .execute()
  }
  await homeDhcp(change, network.id)
}

export async function dropDhcp(change: Change, networkId: string): Promise<void> {
  const { tx } = change
  const dhcp = await tx.deleteFrom('network_dhcp').where('network_id', '=', networkId).returningAll().executeTakeFirst()
  const port = dhcp && (await tx.selectFrom('network_port').selectAll().where('id', '=', dhcp.port_id).executeTakeFirst())
  if (port) await removePort(change, port)
  change.hint(dhcp?.host ?? '', 'dhcp', 'port')
}
