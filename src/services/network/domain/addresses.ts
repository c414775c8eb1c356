import { sql } from 'kysely'
import { fromJson } from '../../../kit/db/columns.ts'
import type { NetworkRow, SubnetRow } from '../tables.ts'
import { type Pool, positionOf, positionsOf, usable } from './allocation.ts'
import { badInput, fault } from './faults.ts'
import { type Cidr, eui64, holds, ipAt, parseCidr, parseIp } from './ip.ts'
import type { Change, On } from './store.ts'

export type FixedAsk = { subnetId: string | undefined; ip: string | undefined }
export type Address = { subnetId: string; ip: string }
type Holder = { id: string; mac: string; deviceOwner: string }

export const isAuto = (subnet: Pick<SubnetRow, 'address_mode'>): boolean =>
  subnet.address_mode === 'slaac' || subnet.address_mode === 'dhcpv6-stateless'

const isRouterPort = (owner: string) => owner.startsWith('network:router') || owner === 'network:floatingip'

export const subnetsOf = (on: On, networkId: string): Promise<SubnetRow[]> =>
  on.selectFrom('network_subnet').selectAll().where('network_id', '=', networkId).orderBy('created_at').execute()

/**
 * Gives the port addresses: those asked for, or by default one of each version, and one of each subnet where cards make their own.
 * `place`: where to begin counting in the port's order. Throws when one is taken, wrong, or none is left.
 */
export async function allocate(
  change: Change,
  network: Pick<NetworkRow, 'id'>,
  holder: Holder,
  asks: FixedAsk[] | undefined,
  place = 0,
): Promise<Address[]> {
  const subnets = await subnetsOf(change.tx, network.id)
  const given: Address[] = []
  const keep = async (subnet: SubnetRow, ip: string) => {
    if (!(await insert(change, subnet, holder, ip, place + given.length)))
      throw fault('conflict', 'IpAddressAlreadyAllocated', `IP address ${ip} already allocated in subnet ${subnet.id}`)
    given.push({ subnetId: subnet.id, ip })
  }
  /** Out of the first of these that has one left. */
  const keepAny = async (fitting: SubnetRow[]) => {
    for (const subnet of fitting) {
      const ip = await takeFree(change, subnet, holder, place + given.length)
      if (ip !== undefined) return given.push({ subnetId: subnet.id, ip })
    }
    throw noneLeft(network)
  }
  if (asks === undefined) {
    for (const version of [4, 6]) {
      const fitting = subnets.filter((subnet) => subnet.ip_version === version && !isAuto(subnet) && serves(subnet, holder))
      if (fitting.length > 0) await keepAny(fitting)
    }
    for (const subnet of subnets.filter((one) => makesOwn(one, holder))) await keep(subnet, eui64(cidrOf(subnet), holder.mac))
    return given
  }
  for (const ask of asks) {
    const subnet = subnetFor(network, subnets, ask)
    if (ask.ip !== undefined) checkAddress(subnet, ask.ip, holder)
    const ip = ask.ip ?? (makesOwn(subnet, holder) ? eui64(cidrOf(subnet), holder.mac) : undefined)
    await (ip === undefined ? keepAny([subnet]) : keep(subnet, ip))
  }
  return given
}

/** A card makes its own address there; a router's has the one it is given. */
const makesOwn = (subnet: SubnetRow, holder: Holder): boolean => isAuto(subnet) && !isRouterPort(holder.deviceOwner)

const noneLeft = ({ id }: Pick<NetworkRow, 'id'>) =>
  fault('conflict', 'IpAddressGenerationFailure', `No more IP addresses available on network ${id}.`)

/** Subnets may be kept for ports of some owners. */
const serves = (subnet: SubnetRow, holder: Holder): boolean => {
  const types = fromJson<string[]>(subnet.service_types)
  return types.length === 0 || types.some((type) => holder.deviceOwner.startsWith(type))
}

function subnetFor(network: Pick<NetworkRow, 'id'>, subnets: SubnetRow[], { subnetId, ip }: FixedAsk): SubnetRow {
  if (subnetId !== undefined) {
    const subnet = subnets.find((one) => one.id === subnetId)
    if (!subnet) throw badInput(`fixed_ips names subnet ${subnetId}, which is not on network ${network.id}`)
    return subnet
  }
  const address = parseIp(ip ?? '')
  const subnet = address && subnets.find((one) => holds(cidrOf(one), address))
  if (subnet) return subnet
  throw fault(
    'invalid',
    'InvalidIpForNetwork',
    `IP address ${ip} is not a valid IP for any of the subnets on the specified network.`,
  )
}

function checkAddress(subnet: SubnetRow, ip: string, holder: Holder): void {
  const cidr = cidrOf(subnet)
  const address = parseIp(ip)
  const [first, last] = usable(cidr)
  if (!address || !holds(cidr, address) || address.value < first || address.value > last)
    throw fault('invalid', 'InvalidIpForSubnet', `IP address ${ip} is not a valid IP for the specified subnet.`)
  if (makesOwn(subnet, holder) && ip !== eui64(cidr, holder.mac))
    throw badInput(
      `IPv6 address ${ip} can not be directly assigned to a port on subnet ${subnet.id}, whose addresses are automatic`,
    )
}

export const cidrOf = (subnet: Pick<SubnetRow, 'cidr'>): Cidr => parseCidr(subnet.cidr)!

/** False: somebody has it. */
async function insert({ tx }: Change, subnet: SubnetRow, holder: Holder, ip: string, place: number): Promise<boolean> {
  const row = await tx
    .insertInto('network_address')
    .values({
      network_id: subnet.network_id,
      ip,
      subnet_id: subnet.id,
      port_id: holder.id,
      position: positionOf(cidrOf(subnet), parseIp(ip)!),
      place,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('ip')
    .executeTakeFirst()
  return row !== undefined
}

export const hasRoom = async (change: Change, subnet: SubnetRow): Promise<boolean> =>
  (await lowestFree(change, subnet)) !== undefined

/** The lowest address nobody has; undefined: there is none. */
async function takeFree(change: Change, subnet: SubnetRow, holder: Holder, place: number): Promise<string | undefined> {
  const cidr = cidrOf(subnet)
  // Another transaction may take the same address first: the next look sees that.
  for (let at = await lowestFree(change, subnet); at !== undefined; at = await lowestFree(change, subnet)) {
    const ip = ipAt(cidr, BigInt(at))
    if (await insert(change, subnet, holder, ip, place)) return ip
  }
  return undefined
}

async function lowestFree(change: Change, subnet: SubnetRow): Promise<number | undefined> {
  for (const pool of fromJson<Pool[]>(subnet.pools)) {
    const [from, to] = positionsOf(cidrOf(subnet), pool)
    const free = await lowestBetween(change, subnet.id, from, to)
    if (free !== undefined) return free
  }
  return undefined
}

async function lowestBetween({ tx }: Change, subnetId: string, from: number, to: number): Promise<number | undefined> {
  const taken = tx.selectFrom('network_address as a').select('a.position').where('a.subnet_id', '=', subnetId)
  if (!(await taken.where('a.position', '=', from).executeTakeFirst())) return from
  const before = await taken
    .where('a.position', '>=', from)
    .where('a.position', '<', to)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('network_address as n')
            .select('n.ip')
            .where('n.subnet_id', '=', subnetId)
            .where('n.position', '=', sql<number>`a.position + 1`),
        ),
      ),
    )
    .orderBy('a.position')
    .limit(1)
    .executeTakeFirst()
  return before && before.position + 1
}

/** Takes a subnet's automatic address for a port that was there before the subnet. */
export const takeAuto = (change: Change, subnet: SubnetRow, holder: Holder, place: number): Promise<boolean> =>
  insert(change, subnet, holder, eui64(cidrOf(subnet), holder.mac), place)
