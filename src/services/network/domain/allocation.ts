import { type Cidr, formatIp, type Ip, parseIp } from './ip.ts'

/** A range of addresses, both ends included. A /64 is one range: nothing here counts addresses one by one. */
export type Pool = { start: string; end: string }

/** Positions from a subnet's first address on are kept as numbers as far as numbers are exact; further ones are -1. */
const unplaced = -1
const exact = BigInt(Number.MAX_SAFE_INTEGER)

export function positionOf(cidr: Cidr, ip: Ip): number {
  const position = ip.value - cidr.first
  return position >= 0n && position <= exact ? Number(position) : unplaced
}

/** First and last position of a pool, cut where numbers end: no subnet fills that many. */
export function positionsOf(cidr: Cidr, pool: Pool): [number, number] {
  const from = parseIp(pool.start)!.value - cidr.first
  const to = parseIp(pool.end)!.value - cidr.first
  return [Number(from), Number(to > exact ? exact : to)]
}

/** Lowest and highest address a device may have: without network and broadcast address, where there are such. */
export function usable(cidr: Cidr): [bigint, bigint] {
  const small = cidr.last - cidr.first < 2n
  if (cidr.version === 6) return [small ? cidr.first : cidr.first + 1n, cidr.last]
  return small ? [cidr.first, cidr.last] : [cidr.first + 1n, cidr.last - 1n]
}

export const defaultGateway = (cidr: Cidr): string => formatIp({ version: cidr.version, value: usable(cidr)[0] })

/** All usable addresses but the gateway's. */
export function defaultPools(cidr: Cidr, gateway: string): Pool[] {
  const [first, last] = usable(cidr)
  const hole = gateway === '' ? undefined : parseIp(gateway)?.value
  const text = (value: bigint) => formatIp({ version: cidr.version, value })
  const ranges: [bigint, bigint][] =
    hole === undefined || hole < first || hole > last
      ? [[first, last]]
      : [
          [first, hole - 1n],
          [hole + 1n, last],
        ]
  return ranges.filter(([from, to]) => from <= to).map(([from, to]) => ({ start: text(from), end: text(to) }))
}

export type PoolFault =
  | { fault: 'invalid'; pool: Pool }
  | { fault: 'out-of-bounds'; pool: Pool }
  | { fault: 'overlap'; pool: Pool; other: Pool }

/** What is wrong with these pools of the subnet; undefined: nothing. */
export function poolFault(cidr: Cidr, pools: Pool[]): PoolFault | undefined {
  const ranges: { from: bigint; to: bigint; pool: Pool }[] = []
  const [first, last] = usable(cidr)
  for (const pool of pools) {
    const [start, end] = [parseIp(pool.start), parseIp(pool.end)]
    if (!start || !end || start.version !== cidr.version || end.version !== cidr.version || end.value < start.value)
      return { fault: 'invalid', pool }
    if (start.value < first || end.value > last) return { fault: 'out-of-bounds', pool }
    const other = ranges.find((one) => start.value <= one.to && one.from <= end.value)
    if (other) return { fault: 'overlap', pool, other: other.pool }
    ranges.push({ from: start.value, to: end.value, pool })
  }
  return undefined
}

export const inPool = (pools: Pool[], ip: Ip): Pool | undefined =>
  pools.find((pool) => {
    const [start, end] = [parseIp(pool.start)!, parseIp(pool.end)!]
    return start.version === ip.version && start.value <= ip.value && ip.value <= end.value
  })

/** How many addresses the pools hold. */
export const sizeOf = (pools: Pool[]): bigint =>
  pools.reduce((sum, pool) => sum + parseIp(pool.end)!.value - parseIp(pool.start)!.value + 1n, 0n)
