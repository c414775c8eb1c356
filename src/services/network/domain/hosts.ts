import type { HostFacts } from '../../../agents/document.ts'
import { toJson } from '../../../kit/db/columns.ts'
import { uuid } from '../../../kit/ids.ts'
import { agentTypes, homeDhcp, homeRouter, silentAfter } from './homes.ts'
import { networkRipple } from './ripples.ts'
import type { Change, Store } from './store.ts'

export const hostKind = 'network.host'

/** A host joined or is alive: its row, its agents, and its watch. */
export const hearFacts =
  (store: Store) =>
  async ({ name, tunnelIp, bridgeMappings, bootedAt, isNetworkHost = true }: HostFacts): Promise<void> => {
    const known = await store.read.selectFrom('network_host').selectAll().where('name', '=', name).executeTakeFirst()
    const agents = await store.read.selectFrom('network_agent').select('type').where('host', '=', name).execute()
    const wanted = Object.values(agentTypes).filter((type) => isNetworkHost || type === agentTypes.switch)
    const columns = { tunnel_ip: tunnelIp, mappings: toJson(bridgeMappings), booted_at: bootedAt }
    const same = known?.tunnel_ip === tunnelIp && known.mappings === columns.mappings
    const wasAlive = known !== undefined && known.heartbeat_at > store.now() - silentAfter
    await store.change(async (change) => {
      const now = change.now()
      await change.tx
        .insertInto('network_host')
        .values({ name, ...columns, joined_at: now, heartbeat_at: now })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...columns, heartbeat_at: now }))
        .execute()
      if (wanted.some((type) => !agents.some((agent) => agent.type === type))) await makeAgents(change, name, wanted)
      if (agents.length > wanted.length) await leaveNetwork(change, name, wanted)
      if (!same || !wasAlive) await change.work.begin(change.tx as never, hostKind, name, 'watch')
      if (known && known.tunnel_ip !== tunnelIp) await tellPeers(change, name)
    })
  }

const makeAgents = async ({ tx, now }: Change, host: string, types: readonly string[]): Promise<void> => {
  const rows = types.map((type) => ({
    id: uuid(),
    host,
    type,
    admin_state_up: 1,
    description: '',
    created_at: now(),
  }))
  await tx
    .insertInto('network_agent')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** It is no network host any more: others carry what it carried. */
async function leaveNetwork(change: Change, host: string, left: readonly string[]): Promise<void> {
  const { tx } = change
  await tx.deleteFrom('network_agent').where('host', '=', host).where('type', 'not in', left).execute()
  for (const { id } of await tx.selectFrom('network_router').select('id').where('host', '=', host).execute())
    await homeRouter(change, id)
  for (const { network_id: id } of await tx.selectFrom('network_dhcp').select('network_id').where('host', '=', host).execute())
    await homeDhcp(change, id)
}

/** Others tunnel to where it was. */
async function tellPeers(change: Change, host: string): Promise<void> {
  const rows = await change.tx
    .selectFrom('network_port')
    .select('network_id')
    .distinct()
    .where((port) => port.or([port('host', '=', host), port('open_host', '=', host)]))
    .execute()
  for (const { network_id: id } of rows) await networkRipple(change, id)
}

/** Routers and DHCP servers that nobody living carries, or whose host cannot reach their networks. */
export async function takeIn(change: Change): Promise<string[]> {
  const { tx } = change
  const alive = tx
    .selectFrom('network_host')
    .select('name')
    .where('heartbeat_at', '>', change.now() - silentAfter)
  const routers = await tx.selectFrom('network_router').select(['id', 'host']).where('host', 'not in', alive).execute()
  const networks = await tx.selectFrom('network_dhcp').select(['network_id', 'host']).where('host', 'not in', alive).execute()
  for (const { id } of routers) await homeRouter(change, id)
  for (const { network_id: id } of networks) await homeDhcp(change, id)
  return [...routers.map(({ id }) => `router ${id}`), ...networks.map(({ network_id: id }) => `DHCP of network ${id}`)]
}

/** The host is not counted on any more: what it carried is carried elsewhere, and its row goes. */
export async function forgetHost(change: Change, name: string): Promise<void> {
  const { tx } = change
  await tx.deleteFrom('network_agent').where('host', '=', name).execute()
  await tx.deleteFrom('network_host').where('name', '=', name).execute()
  await takeIn(change)
}
