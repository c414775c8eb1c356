import { Problem } from '../../../kit/errors.ts'
import type { Network, NetworkPort } from '../contract.ts'
import type { PortRow } from '../tables.ts'
import { fault, noPort } from './faults.ts'
import { findNetwork } from './networks.ts'
import { createPort, openPort, removePort, updatePort } from './ports.ts'
import { portRipple } from './ripples.ts'
import { ownPorts, portsOf } from './server-ports.ts'
import type { Change, Store } from './store.ts'

type Ensure = Parameters<Network['ensurePort']>[0]

export const ensurePort =
  (store: Store) =>
  async (ask: Ensure): Promise<NetworkPort> => {
    const id = await store.change((change) => ensure(change, ask))
    const ports = await portsOf(store.read, [ask.owner])
    const port = ports[ask.owner]?.find((one) => one.id === id)
    if (!port) throw noPort(id)
    return port
  }

async function ensure(change: Change, ask: Ensure): Promise<string> {
  const { tx } = change
  const known = await tx
    .selectFrom('network_nic')
    .select('port_id')
    .where('owner', '=', ask.owner)
    .where('place', '=', ask.index)
    .executeTakeFirst()
  if (known) return known.port_id
  const { port, made } = ask.nic.port === undefined ? await makePort(change, ask) : await takePort(change, ask, ask.nic.port)
  const { owner, index: place, hostname } = ask
  await tx
    .insertInto('network_nic')
    .values({ owner, place, port_id: port.id, made: made ? 1 : 0, tag: ask.nic.tag ?? '', hostname })
    .execute()
  await portRipple(change, port)
  return port.id
}

async function makePort(change: Change, ask: Ensure): Promise<{ port: PortRow; made: boolean }> {
  const network = await findNetwork(change.tx, ask.nic.network ?? '')
  if (!network) throw new Problem('invalid', `Network ${ask.nic.network} could not be found.`)
  const port = await createPort(change, {
    projectId: ask.projectId,
    network,
    deviceId: ask.owner,
    deviceOwner: 'compute:',
    fixedIps: ask.nic.fixedIp === undefined ? undefined : [{ subnetId: undefined, ip: ask.nic.fixedIp }],
    groups: network.port_security === 1 && ask.securityGroups.length > 0 ? ask.securityGroups : undefined,
  })
  return { port, made: true }
}

/** The user's port, if nobody has it: the condition stands in the update, so two servers cannot both get it. */
async function takePort(change: Change, ask: Ensure, id: string): Promise<{ port: PortRow; made: boolean }> {
  const port = await change.tx
    .updateTable('network_port')
    .set({ device_id: ask.owner, device_owner: 'compute:', updated_at: change.now() })
    .where('id', '=', id)
    .where('device_id', 'in', ['', ask.owner])
    .returningAll()
    .executeTakeFirst()
  if (port) return { port, made: false }
  const there = await change.tx.selectFrom('network_port').select('id').where('id', '=', id).executeTakeFirst()
  if (!there) throw new Problem('invalid', `Port id ${id} could not be found.`)
  throw fault('conflict', 'PortInUse', `Port ${id} is still in use.`)
}

export const bind =
  (store: Store) =>
  ({ owner, host, availabilityZone }: Parameters<Network['bind']>[0]): Promise<void> =>
    store.change(async (change) => {
      const to = host ?? ''
      const deviceOwner = `compute:${availabilityZone}`
      for (const { made, ...port } of await ownPorts(change.tx, owner)) {
        if (port.host === to && port.device_owner === deviceOwner) continue
        const network = (await findNetwork(change.tx, port.network_id))!
        await updatePort(change, network, port, { host: to, deviceOwner })
      }
    })

export const openAt =
  (store: Store) =>
  ({ owner, host }: Parameters<Network['openAt']>[0]): Promise<void> =>
    store.change(async (change) => {
      for (const { made, ...port } of await ownPorts(change.tx, owner))
        await openPort(change, port, port.host === '' ? '' : (host ?? ''))
    })

export const release =
  (store: Store) =>
  ({ owner, port: only }: Parameters<Network['release']>[0]): Promise<void> =>
    store.change(async (change) => {
      for (const { made, ...port } of await ownPorts(change.tx, owner)) {
        if (only !== undefined && port.id !== only) continue
        if (made === 1) {
          await removePort(change, port)
          continue
        }
        await change.tx.deleteFrom('network_nic').where('port_id', '=', port.id).execute()
        const network = (await findNetwork(change.tx, port.network_id))!
        await updatePort(change, network, port, { host: '', deviceId: '', deviceOwner: '' })
      }
    })
