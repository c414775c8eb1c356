import { fromJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { FixedIp, Network, NetworkPort, NicAsk } from '../contract.ts'
import type { NetworkRow, PortRow, SubnetRow } from '../tables.ts'
import { fault, noPort } from './faults.ts'
import { canonicalIp, parseCidr, parseIp } from './ip.ts'
import { findNetwork } from './networks.ts'
import { addressesOf, createPort, groupsOf, putGroups, removePort, updatePort } from './ports.ts'
import { portRipple } from './ripples.ts'
import { ensureDefaultGroup } from './security-groups.ts'
import { portStatus } from './status.ts'
import type { Change, On, Store } from './store.ts'

/** The tap of a port: Linux allows 15 characters. */
export const deviceOf = (port: Pick<PortRow, 'id' | 'device_owner'>): string =>
  `${port.device_owner === 'network:router_gateway' ? 'qg-' : port.device_owner.startsWith('network:router') ? 'qr-' : 'tap'}${port.id.slice(0, 11)}`

type Check = Parameters<Network['check']>[0]

export const check =
  (store: Store) =>
  async (ask: Check): Promise<NicAsk[]> => {
    const nics = ask.nics.length === 0 && ask.auto ? await onlyNetwork(store.read, ask.projectId) : ask.nics
    const checked: NicAsk[] = []
    for (const nic of nics) checked.push(await checkNic(store.read, ask, nic))
    await checkRoom(store, ask, checked)
    return checked
  }

/** What a server gets that asked for nothing: the one network there is. */
async function onlyNetwork(on: On, projectId: string): Promise<NicAsk[]> {
  const networks = await on
    .selectFrom('network_network')
    .select('id')
    .where('external', '=', 0)
    .where((eb) => eb.or([eb('project_id', '=', projectId), eb('shared', '=', 1)]))
    .limit(2)
    .execute()
  if (networks.length > 1)
    throw new Problem('conflict', 'Multiple possible networks found, use a Network ID to be more specific.')
  return networks.map(({ id }) => ({ network: id }))
}

async function checkNic(on: On, ask: Check, nic: NicAsk): Promise<NicAsk> {
  if (nic.port !== undefined) return checkOwnPort(on, ask, nic, nic.port)
  const network = nic.network === undefined ? undefined : await findNetwork(on, nic.network)
  const own = network && (ask.isAdmin || network.project_id === ask.projectId)
  if (!network || !(own || network.shared === 1 || network.external === 1))
    throw new Problem('invalid', `Network ${nic.network} could not be found.`)
  if (network.external === 1 && !own && network.shared === 0)
    throw new Problem('forbidden', `It is not allowed to create an interface on external network ${network.id}`)
  const subnets = await on.selectFrom('network_subnet').selectAll().where('network_id', '=', network.id).execute()
  if (subnets.length === 0) throw new Problem('invalid', `Network ${network.id} requires a subnet in order to boot instances on.`)
  if (nic.fixedIp === undefined) return nic
  await checkFixedIp(on, ask, network, subnets, nic.fixedIp)
  return { ...nic, fixedIp: canonicalIp(nic.fixedIp)! }
}

async function checkFixedIp(on: On, ask: Check, network: NetworkRow, subnets: SubnetRow[], text: string): Promise<void> {
  const ip = parseIp(text)
  if (!ip) throw new Problem('invalid', `Fixed IP ${text} is not a valid ip address.`)
  const inside = subnets.some(({ cidr }) => {
    const range = parseCidr(cidr)!
    return range.version === ip.version && range.first <= ip.value && ip.value <= range.last
  })
  if (!inside) throw new Problem('invalid', `Fixed IP ${text} is not a valid ip address for network ${network.id}.`)
  if (ask.servers > 1) throw new Problem('invalid', 'A fixed address can be had by one server only.')
  const taken = await on
    .selectFrom('network_address')
    .select('port_id')
    .where('network_id', '=', network.id)
    .where('ip', '=', canonicalIp(text)!)
    .executeTakeFirst()
  if (taken) throw new Problem('invalid', `Fixed IP address ${text} is already in use on instance or port ${taken.port_id}.`)
}

async function checkOwnPort(on: On, ask: Check, nic: NicAsk, id: string): Promise<NicAsk> {
  const port = await on.selectFrom('network_port').selectAll().where('id', '=', id).executeTakeFirst()
  if (!port || !(ask.isAdmin || port.project_id === ask.projectId))
    throw new Problem('invalid', `Port id ${id} could not be found.`)
  if (port.device_id !== '') throw new Problem('conflict', `Port ${id} is still in use.`)
  if ((await addressesOf(on, id)).length === 0) throw new Problem('invalid', `Port ${id} requires a FixedIP in order to be used.`)
  if (ask.servers > 1) throw new Problem('invalid', 'A port can be had by one server only.')
  return { ...nic, network: port.network_id }
}

async function checkRoom(store: Store, ask: Check, nics: NicAsk[]): Promise<void> {
  const more = nics.filter((nic) => nic.port === undefined).length * ask.servers
  if (more === 0) return
  await store
    .change(({ tx, quota }) => quota.allow(tx, ask.projectId, { port: more }))
    .catch((error: unknown) => {
      if (error instanceof Problem && error.kind === 'over-quota')
        throw new Problem('over-quota', 'Maximum number of ports exceeded', { cause: error, detail: error.detail })
      throw error
    })
}

export const securityGroups =
  (store: Store) =>
  async ({ projectId, names }: { projectId: string; names: string[] }): Promise<{ id: string; name: string }[]> => {
    const wanted = [...new Set(names)]
    if (wanted.includes('default')) await store.change((change) => ensureDefaultGroup(change, projectId))
    const groups = await store.read
      .selectFrom('network_group')
      .select(['id', 'name'])
      .where('project_id', '=', projectId)
      .execute()
    return wanted.map((name) => {
      const byId = groups.find((group) => isUuid(name) && group.id === name)
      const named = byId ? [byId] : groups.filter((group) => group.name === name)
      if (named.length === 0) throw new Problem('invalid', `Security group ${name} not found for project ${projectId}.`)
      if (named.length > 1)
        throw new Problem('invalid', `Multiple security groups found matching '${name}'. Use an ID to be more specific.`)
      return named[0]!
    })
  }

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

const ownPorts = (on: On, owner: string) =>
  on
    .selectFrom('network_nic as n')
    .innerJoin('network_port as p', 'p.id', 'n.port_id')
    .selectAll('p')
    .select('n.made')
    .where('n.owner', '=', owner)
    .orderBy('n.place')
    .execute()

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

/** All that compute shows of its servers' ports: five queries, however many servers. */
export async function portsOf(on: On, owners: string[]): Promise<Record<string, NetworkPort[]>> {
  const result: Record<string, NetworkPort[]> = Object.fromEntries(owners.map((owner) => [owner, []]))
  if (owners.length === 0) return result
  const rows = await on
    .selectFrom('network_nic as n')
    .innerJoin('network_port as p', 'p.id', 'n.port_id')
    .innerJoin('network_network as w', 'w.id', 'p.network_id')
    .selectAll('p')
    .select(['n.owner', 'n.place', 'n.made', 'n.tag as nic_tag', 'w.name as network_name', 'w.mtu'])
    .where('n.owner', 'in', owners)
    .orderBy('n.place')
    .execute()
  const ids = rows.map((row) => row.id)
  if (ids.length === 0) return result
  const fixed = await fixedIpsOf(on, ids)
  const floating = await on
    .selectFrom('network_floating_ip')
    .select(['port_id', 'ip', 'fixed_ip'])
    .where('port_id', 'in', ids)
    .orderBy('created_at')
    .execute()
  const groups = await on
    .selectFrom('network_port_group as pg')
    .innerJoin('network_group as g', 'g.id', 'pg.group_id')
    .select(['pg.port_id', 'g.id', 'g.name'])
    .where('pg.port_id', 'in', ids)
    .orderBy('g.name')
    .execute()
  const byPort = <Row extends { port_id: string }>(all: Row[]) => Map.groupBy(all, (row) => row.port_id)
  const [floatingBy, groupsBy] = [byPort(floating), byPort(groups)]
  for (const row of rows) {
    result[row.owner]!.push({
      id: row.id,
      name: row.name,
      networkId: row.network_id,
      networkName: row.network_name,
      index: row.place,
      mac: row.mac,
      mtu: row.mtu,
      device: deviceOf(row),
      fixedIps: fixed.get(row.id) ?? [],
      floatingIps: (floatingBy.get(row.id) ?? []).map((one) => ({ ip: one.ip, fixedIp: one.fixed_ip })),
      securityGroups: (groupsBy.get(row.id) ?? []).map(({ id, name }) => ({ id, name })),
      status: portStatus(row),
      host: row.host === '' ? undefined : row.host,
      wired: row.wired === 1,
      made: row.made === 1,
      tag: row.nic_tag === '' ? undefined : row.nic_tag,
    })
  }
  return result
}

async function fixedIpsOf(on: On, ports: string[]): Promise<Map<string, FixedIp[]>> {
  const rows = await on
    .selectFrom('network_address as a')
    .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
    .select(['a.port_id', 'a.ip', 's.id', 's.ip_version', 's.cidr', 's.gateway_ip', 's.dns', 's.routes', 's.enable_dhcp'])
    .where('a.port_id', 'in', ports)
    .orderBy('a.place')
    .execute()
  const byPort = new Map<string, FixedIp[]>()
  for (const row of rows) {
    const fixed: FixedIp = {
      subnetId: row.id,
      ip: row.ip,
      version: row.ip_version as 4 | 6,
      cidr: row.cidr,
      gatewayIp: row.gateway_ip === '' ? undefined : row.gateway_ip,
      dns: fromJson(row.dns),
      routes: fromJson(row.routes),
      dhcp: row.enable_dhcp === 1,
    }
    byPort.set(row.port_id, [...(byPort.get(row.port_id) ?? []), fixed])
  }
  return byPort
}

export const changeSecurityGroup =
  (store: Store) =>
  async ({ owner, projectId, group, add }: Parameters<Network['changeSecurityGroup']>[0]): Promise<void> => {
    const [found] = await securityGroups(store)({ projectId, names: [group] }).catch((error: unknown) => {
      if (error instanceof Problem && error.kind === 'invalid') throw new Problem('not-found', error.message)
      throw error
    })
    await store.change(async (change) => {
      const ports = (await ownPorts(change.tx, owner)).filter((port) => port.port_security === 1)
      if (add && ports.length === 0)
        throw new Problem('conflict', `Server ${owner} has no port that could take security group ${group}.`)
      let changed = 0
      for (const { made, ...port } of ports) {
        const now = await groupsOf(change.tx, port.id)
        if (now.includes(found!.id) === add) continue
        changed++
        await putGroups(change, port.id, add ? [...now, found!.id] : now.filter((id) => id !== found!.id))
        await portRipple(change, port, [found!.id])
      }
      if (!add && changed === 0)
        throw new Problem('not-found', `Security group ${group} is not associated with the instance ${owner}.`)
    })
  }

/** A regular expression of few means: one with groups or many repetitions could keep the process busy for ever. */
export function addressPattern(pattern: string): RegExp {
  const repetitions = pattern.match(/[*+?{]/g)?.length ?? 0
  if (pattern.length > 100 || repetitions > 3 || !/^[0-9a-fA-F.:^$*+?{},|[\]\\-]*$/.test(pattern))
    throw new Problem('invalid', `'${pattern}' is no expression for an address.`)
  try {
    return new RegExp(pattern, 'i')
  } catch (error) {
    throw new Problem('invalid', `'${pattern}' is no expression for an address.`, { cause: error })
  }
}

export const ownersByAddress =
  (store: Store) =>
  async ({ pattern, version }: { pattern: string; version: 4 | 6 }): Promise<string[]> => {
    const wanted = addressPattern(pattern)
    const rows = await store.read
      .selectFrom('network_nic as n')
      .innerJoin('network_address as a', 'a.port_id', 'n.port_id')
      .innerJoin('network_subnet as s', 's.id', 'a.subnet_id')
      .select(['n.owner', 'a.ip'])
      .where('s.ip_version', '=', version)
      .execute()
    return [...new Set(rows.filter((row) => wanted.test(row.ip)).map((row) => row.owner))]
  }
