import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { toBit, toJson } from '../../../kit/db/columns.ts'
import { uuid } from '../../../kit/ids.ts'
import type { NetworkRow, PortRow } from '../tables.ts'
import { type Address, allocate, type FixedAsk, isAuto, subnetsOf } from './addresses.ts'
import { fault, noGroup, noPort } from './faults.ts'
import { portRipple } from './ripples.ts'
import { ensureDefaultGroup } from './security-groups.ts'
import { given, newborn } from './standard.ts'
import type { Change, On } from './store.ts'

export type AddressPair = { ip: string; mac: string | undefined }

export type PortAsk = {
  projectId: string
  network: NetworkRow
  name?: string | undefined
  description?: string | undefined
  adminUp?: boolean | undefined
  mac?: string | undefined
  fixedIps?: FixedAsk[] | undefined
  deviceId?: string | undefined
  deviceOwner?: string | undefined
  host?: string | undefined
  vnicType?: string | undefined
  profile?: Record<string, unknown> | undefined
  portSecurity?: boolean | undefined
  pairs?: AddressPair[] | undefined
  /** Undefined: the project's default group. */
  groups?: string[] | undefined
}

const newMac = (): string => `fa:16:3e:${[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`

export const isOurs = (owner: string): boolean => owner.startsWith('network:')

/** A port with its addresses and groups, in one transaction with whatever needs it. */
export async function createPort(change: Change, ask: PortAsk): Promise<PortRow> {
  const { network, deviceOwner = '', projectId } = ask
  if (projectId !== '') await change.quota.allow(change.tx, projectId, { port: 1 })
  const security = ask.portSecurity ?? (isOurs(deviceOwner) ? false : network.port_security === 1)
  const groups = ask.groups ?? (security ? [await ensureDefaultGroup(change, projectId)] : [])
  checkSecurity({
    security,
    groups,
    pairs: ask.pairs ?? [],
    addressless: ask.fixedIps?.length === 0,
    asked: ask.groups !== undefined,
  })
  const port = await insertPort(change, ask, security)
  const addresses = await allocate(change, network, { id: port.id, mac: port.mac, deviceOwner }, ask.fixedIps)
  const kept = addresses.length === 0 && ask.groups === undefined ? [] : groups
  await putGroups(change, port.id, kept)
  await portRipple(change, port, kept)
  return port
}

function checkSecurity(port: {
  security: boolean
  groups: string[]
  pairs: AddressPair[]
  addressless: boolean
  asked: boolean
}): void {
  if (!port.security && port.pairs.length > 0)
    throw fault(
      'conflict',
      'AddressPairAndPortSecurityRequired',
      'Port Security must be enabled in order to have allowed address pairs on a port.',
    )
  if (port.asked && port.groups.length > 0 && (!port.security || port.addressless))
    throw fault(
      'invalid',
      'PortSecurityAndIPRequiredForSecurityGroups',
      'Port security must be enabled and port must have an IP address in order to use security groups.',
    )
}

async function insertPort(change: Change, ask: PortAsk, security: boolean): Promise<PortRow> {
  const { projectId, network, name = '', description = '', deviceId = '', deviceOwner = '', host = '' } = ask
  const row: PortRow = {
    ...newborn(change.now(), projectId, { name, description }, uuid()),
    network_id: network.id,
    admin_state_up: toBit(ask.adminUp ?? true),
    mac: ask.mac ?? newMac(),
    device_id: deviceId,
    device_owner: deviceOwner,
    host,
    vnic_type: ask.vnicType ?? 'normal',
    profile: toJson(ask.profile ?? {}),
    allowed_pairs: toJson(ask.pairs ?? []),
    port_security: toBit(security),
    wired: 0,
    trouble: '',
    open_host: '',
    open_wired: 0,
    open_trouble: '',
  }
  for (let attempt = 0; attempt < 16; attempt++) {
    const made = await change.tx
      .insertInto('network_port')
      .values(row)
      .onConflict((conflict) => conflict.columns(['network_id', 'mac']).doNothing())
      .returningAll()
      .executeTakeFirst()
    if (made) return made
    if (ask.mac !== undefined) throw macInUse(network.id, ask.mac)
    row.mac = newMac()
  }
  throw fault('unavailable', 'NetworkMacAddressGenerationFailure', `Unable to generate unique mac on network ${network.id}.`)
}

const macInUse = (networkId: string, mac: string) =>
  fault('conflict', 'MacAddressInUse', `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`)

export type PortPatch = Omit<Partial<PortAsk>, 'network' | 'projectId'>

/** Changes what is named, and bumps the revision. Throws not-found when the port went meanwhile. */
export async function updatePort(change: Change, network: NetworkRow, port: PortRow, patch: PortPatch): Promise<PortRow> {
  const { tx } = change
  const security = patch.portSecurity ?? port.port_security === 1
  const groupsNow = patch.groups ?? (await groupsOf(tx, port.id))
  const pairs = patch.pairs ?? (JSON.parse(port.allowed_pairs) as AddressPair[])
  if (!security && groupsNow.length > 0)
    throw fault(
      'conflict',
      'PortSecurityPortHasSecurityGroup',
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    )
  checkSecurity({ security, groups: groupsNow, pairs, addressless: false, asked: true })
  const row = await tx
    .updateTable('network_port')
    .set({
      ...given<PortRow>({
        name: patch.name,
        description: patch.description,
        admin_state_up: patch.adminUp === undefined ? undefined : toBit(patch.adminUp),
        mac: patch.mac,
        device_id: patch.deviceId,
        device_owner: patch.deviceOwner,
        host: patch.host,
        vnic_type: patch.vnicType,
        profile: patch.profile && toJson(patch.profile),
        allowed_pairs: patch.pairs && toJson(patch.pairs),
        port_security: patch.portSecurity === undefined ? undefined : toBit(patch.portSecurity),
      }),
      ...(patch.host === undefined ? {} : movedTo(port, patch.host)),
      updated_at: change.now(),
      revision: sql<number>`revision + 1`,
    })
    .where('id', '=', port.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noPort(port.id)
  const groupsBefore = patch.groups ? await groupsOf(tx, port.id) : groupsNow
  if (patch.groups) await putGroups(change, port.id, patch.groups)
  if (patch.fixedIps) await setAddresses(change, network, row, patch.fixedIps)
  await portRipple(change, port, [...groupsBefore, ...groupsNow])
  await portRipple(change, row)
  return row
}

/** On a new host nothing is known of it, except on the one it was open at: what that one said counts on. */
function movedTo(port: PortRow, host: string) {
  const closed = { open_host: '', open_wired: 0, open_trouble: '' }
  if (host === port.host) return {}
  if (host !== '' && host === port.open_host)
    return { wired: sql<number>`open_wired`, trouble: sql<string>`open_trouble`, ...closed }
  return { wired: 0, trouble: '', ...(host === '' ? closed : {}) }
}

/** Makes the port on this host too; empty: on no second one. */
export async function openPort(change: Change, port: PortRow, host: string): Promise<void> {
  const second = host === port.host ? '' : host
  if (second === port.open_host) return
  await change.tx
    .updateTable('network_port')
    .set({ open_host: second, open_wired: 0, open_trouble: '' })
    .where('id', '=', port.id)
    .execute()
  await portRipple(change, port)
  await portRipple(change, { ...port, open_host: second })
}

/**
 * The port's addresses become those asked for; what it has and may keep it keeps: an address that is named, or any one of a subnet
 * that is only named itself. Floating addresses of what is lost let go.
 */
export async function setAddresses(change: Change, network: NetworkRow, port: PortRow, asks: FixedAsk[]): Promise<Address[]> {
  const { tx } = change
  const held = await addressesOf(tx, port.id)
  const left = [...held]
  const missing: FixedAsk[] = []
  for (const ask of asks) {
    const at = left.findIndex(
      (one) => (ask.ip === undefined || one.ip === ask.ip) && (ask.subnetId === undefined || one.subnetId === ask.subnetId),
    )
    if (at < 0) missing.push(ask)
    else left.splice(at, 1)
  }
  const auto = new Set((await subnetsOf(tx, network.id)).filter(isAuto).map((subnet) => subnet.id))
  const lost = left.filter((one) => !auto.has(one.subnetId) || asks.length === 0)
  for (const { ip } of lost) await dropAddress(change, port, ip)
  const kept = held.filter((one) => !lost.includes(one))
  const added = await allocate(
    change,
    network,
    { id: port.id, mac: port.mac, deviceOwner: port.device_owner },
    missing,
    held.length,
  )
  return [...kept, ...added]
}

async function dropAddress(change: Change, port: PortRow, ip: string): Promise<void> {
  await change.tx.deleteFrom('network_address').where('port_id', '=', port.id).where('ip', '=', ip).execute()
  await letFloatingGo(change, port.id, ip)
}

/** Floating addresses that led to this port (or only to this address of it) lead nowhere. */
async function letFloatingGo(change: Change, portId: string, ip?: string): Promise<void> {
  const base = change.tx
    .updateTable('network_floating_ip')
    .set({ port_id: '', fixed_ip: '', router_id: '', active: 0, updated_at: change.now(), revision: sql<number>`revision + 1` })
    .where('port_id', '=', portId)
  await (ip === undefined ? base : base.where('fixed_ip', '=', ip)).execute()
}

export async function addressesOf(on: On, portId: string): Promise<Address[]> {
  const rows = await on
    .selectFrom('network_address')
    .select(['subnet_id', 'ip'])
    .where('port_id', '=', portId)
    .orderBy('place')
    .execute()
  return rows.map((row) => ({ subnetId: row.subnet_id, ip: row.ip }))
}

export async function groupsOf(on: On, portId: string): Promise<string[]> {
  const rows = await on.selectFrom('network_port_group').select('group_id').where('port_id', '=', portId).execute()
  return rows.map((row) => row.group_id)
}

/** Groups must be there; whose they are is the caller's to check. */
export async function putGroups({ tx }: Change, portId: string, groups: string[]): Promise<void> {
  const wanted = [...new Set(groups)]
  await tx.deleteFrom('network_port_group').where('port_id', '=', portId).execute()
  if (wanted.length === 0) return
  const known = await tx.selectFrom('network_group').select('id').where('id', 'in', wanted).execute()
  const missing = wanted.find((id) => !known.some((row) => row.id === id))
  if (missing !== undefined) throw noGroup(missing)
  await tx
    .insertInto('network_port_group')
    .values(wanted.map((group_id) => ({ port_id: portId, group_id })))
    .execute()
}

/** Deletes the port with all that hangs on it. */
export async function removePort(change: Change, port: PortRow): Promise<void> {
  const { tx } = change
  const groups = await groupsOf(tx, port.id)
  const routers = await tx.selectFrom('network_floating_ip').select('router_id').where('port_id', '=', port.id).execute()
  await portRipple(change, port, groups)
  await letFloatingGo(change, port.id)
  for (const table of ['network_address', 'network_port_group', 'network_nic'] as const)
    await tx.deleteFrom(table).where('port_id', '=', port.id).execute()
  await tx.deleteFrom('network_tag').where('resource_id', '=', port.id).execute()
  await tx.deleteFrom('network_port').where('id', '=', port.id).execute()
  await hintRouters(
    change,
    routers.map((row) => row.router_id),
  )
}

export async function hintRouters(change: Change, routers: string[]): Promise<void> {
  if (routers.length === 0) return
  const rows = await change.tx.selectFrom('network_router').select('host').where('id', 'in', routers).execute()
  for (const { host } of rows) change.hint(host, 'router')
}
