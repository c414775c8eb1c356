import type { DhcpSeen, PortSeen, RouterSeen } from '../../../agents/document.ts'
import { toBit, toJson } from '../../../kit/db/columns.ts'
import { serverRipple } from './ripples.ts'
import type { Store } from './store.ts'

type PortNow = { id: string; wired: number; trouble: string }

/** What a host says of its ports. Only what differs is written; servers whose ports changed are told of. */
export async function reportPorts(store: Store, host: string, seen: PortSeen[]): Promise<void> {
  const told = new Map(seen.map((one) => [one.id, one]))
  const differing = (rows: PortNow[]) =>
    rows.flatMap((row) => {
      const now = { wired: toBit(told.get(row.id)?.wired ?? false), trouble: told.get(row.id)?.error ?? '' }
      return row.wired === now.wired && row.trouble === now.trouble ? [] : [{ row, now }]
    })
  const { read } = store
  const bound = differing(
    await read.selectFrom('network_port').select(['id', 'wired', 'trouble']).where('host', '=', host).execute(),
  )
  const open = differing(
    await read
      .selectFrom('network_port')
      .select(['id', 'open_wired as wired', 'open_trouble as trouble'])
      .where('open_host', '=', host)
      .execute(),
  )
  const changed = [...bound, ...open]
  if (changed.length === 0) return
  await store.change(async (change) => {
    for (const { row, now } of bound)
      await change.tx.updateTable('network_port').set(now).where('id', '=', row.id).where('host', '=', host).execute()
    for (const { row, now } of open)
      await change.tx
        .updateTable('network_port')
        .set({ open_wired: now.wired, open_trouble: now.trouble })
        .where('id', '=', row.id)
        .where('open_host', '=', host)
        .execute()
    for (const { row, now } of changed)
      if (row.trouble !== now.trouble && now.trouble !== '')
        await change.work.note({ kind: 'network.port', subject: row.id, reason: `${host}: ${now.trouble}` }, change.tx as never)
    await serverRipple(
      change,
      changed.map(({ row }) => row.id),
    )
  })
}

export async function reportRouters(store: Store, host: string, seen: RouterSeen[]): Promise<void> {
  const rows = await store.read.selectFrom('network_router').select(['id', 'ready', 'trouble']).where('host', '=', host).execute()
  const told = new Map(seen.map((one) => [one.id, one]))
  const changed = rows.flatMap((row) => {
    const now = { ready: toBit(told.get(row.id)?.ready ?? false), trouble: told.get(row.id)?.error ?? '' }
    return row.ready === now.ready && row.trouble === now.trouble ? [] : [{ id: row.id, now }]
  })
  const floating = await changedFloating(
    store,
    rows.map((row) => row.id),
    told,
  )
  if (changed.length === 0 && floating.length === 0) return
  await store.change(async ({ tx }) => {
    for (const { id, now } of changed)
      await tx.updateTable('network_router').set(now).where('id', '=', id).where('host', '=', host).execute()
    for (const { id, router_id, active } of floating)
      await tx
        .updateTable('network_floating_ip')
        .set({ active })
        .where('id', '=', id)
        .where('router_id', '=', router_id)
        .execute()
  })
}

async function changedFloating(store: Store, routers: string[], told: Map<string, RouterSeen>) {
  if (routers.length === 0) return []
  const rows = await store.read
    .selectFrom('network_floating_ip')
    .select(['id', 'ip', 'router_id', 'active'])
    .where('router_id', 'in', routers)
    .execute()
  return rows.flatMap((row) => {
    const active = toBit(told.get(row.router_id)?.floatingIps.includes(row.ip) ?? false)
    return active === row.active ? [] : [{ ...row, active }]
  })
}

export async function reportDhcp(store: Store, host: string, seen: DhcpSeen[]): Promise<void> {
  const rows = await store.read.selectFrom('network_dhcp').selectAll().where('host', '=', host).execute()
  const told = new Map(seen.map((one) => [one.networkId, one]))
  const changed = rows.flatMap((row) => {
    const one = told.get(row.network_id)
    const now = { ready: toBit(one?.ready ?? false), trouble: one?.error ?? '', leases: toJson(one?.leases ?? []) }
    const same = row.ready === now.ready && row.trouble === now.trouble && row.leases === now.leases
    return same ? [] : [{ id: row.network_id, now }]
  })
  if (changed.length === 0) return
  await store.change(async ({ tx }) => {
    for (const { id, now } of changed)
      await tx.updateTable('network_dhcp').set(now).where('network_id', '=', id).where('host', '=', host).execute()
  })
}
