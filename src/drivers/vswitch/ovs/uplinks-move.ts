import type { Exec } from '../../../kit/exec/exec.ts'
import type { Log } from '../../../kit/log.ts'
import { type Database, map, type Operation, uuidOf } from './ovsdb/database.ts'
import { join, leave } from './ports.ts'
import type { Shutters } from './shutters.ts'
import { bare, bareAddresses, type Device, type Holding, holdingOf, moveLines, type RouteJson } from './uplinks-holding.ts'
import { type Entry, type Journal, readBoot } from './uplinks-journal.ts'
import { answersNow, type Proof, proofText, silentAmong } from './uplinks-proof.ts'

export type MoveNeeds = {
  exec: Exec
  log: Log
  database: Database
  journal: Journal
  /** In user space only. */
  shutters: Shutters | undefined
}

/** Long enough for a switch outside that looks at a new port first (spanning tree without delay); short enough for who waits. */
const proofMs = 10_000

export const uplinkMark = { altostack: 'uplink' } as const

export async function readDevices(exec: Exec): Promise<Map<string, Device>> {
  const all = JSON.parse((await exec.run(['ip', '-j', '-d', 'address', 'show'])) || '[]') as Device[]
  return new Map(all.filter(({ ifname }) => ifname !== undefined).map((device) => [device.ifname, device]))
}

export async function readHolding(exec: Exec, device: Device): Promise<Holding> {
  const routes = async (version: '-4' | '-6') => {
    const text = await exec.run(['ip', '-j', version, 'route', 'show', 'table', 'all', 'dev', device.ifname])
    return JSON.parse(text || '[]') as RouteJson[]
  }
  return holdingOf(device, await routes('-4'), await routes('-6'))
}

/** By bridge: names and ids of its ports. */
export async function readBridgePorts(database: Database): Promise<Map<string, Map<string, string>>> {
  const [bridges, ports] = await Promise.all([
    database.select('Bridge', ['name', 'ports']),
    database.select('Port', ['_uuid', 'name']),
  ])
  const names = new Map(ports.map((row) => [uuidOf(row['_uuid']), String(row['name'])]))
  const idsOf = (value: unknown): string[] =>
    Array.isArray(value) && value[0] === 'set' ? (value[1] as [string, string][]).map(([, id]) => id) : [uuidOf(value as never)]
  return new Map(bridges.map((row) => [String(row['name']), new Map(idsOf(row['ports']).map((id) => [names.get(id) ?? '', id]))]))
}

/** The bridge takes the card's hardware address, so that neighbours need not learn a new one, and its MTU. */
const dress = ({ bridge, mac, mtu }: Entry): Operation[] => [
  {
    op: 'mutate',
    table: 'Bridge',
    where: [['name', '==', bridge]],
    mutations: [
      ['other_config', 'delete', ['set', ['hwaddr']]],
      ['other_config', 'insert', map({ hwaddr: mac })],
    ],
  },
  { op: 'update', table: 'Interface', where: [['name', '==', bridge]], row: { mtu_request: mtu } },
]

const undress = ({ bridge, mac }: Entry): Operation[] => [
  {
    op: 'mutate',
    table: 'Bridge',
    where: [['name', '==', bridge]],
    mutations: [['other_config', 'delete', map({ hwaddr: mac })]],
  },
  { op: 'update', table: 'Interface', where: [['name', '==', bridge]], row: { mtu_request: ['set', []] } },
]

const batch = (exec: Exec, lines: string[]) => exec.attempt(['ip', '-force', '-batch', '-'], { input: `${lines.join('\n')}\n` })

async function takeOut(database: Database, entry: Entry): Promise<void> {
  const { nic, bridge, joined } = entry
  const id = joined ? (await readBridgePorts(database)).get(bridge)?.get(nic) : undefined
  await database.change([...(id === undefined ? [] : leave(bridge, [id])), ...undress(entry)])
}

/** Which of these answer from the device now. */
export async function answering(exec: Exec, proofs: readonly Proof[], device: string): Promise<Proof[]> {
  const answers = await Promise.all(proofs.map((proof) => answersNow(exec, proof, device)))
  return proofs.filter((_, index) => answers[index])
}

/** Puts the card into the bridge, and what it has on the bridge. Gives what stopped answering; nothing is taken back here. */
export async function bringIn(needs: MoveNeeds, entry: Entry, isIn: boolean): Promise<string | undefined> {
  const { exec, log, database, journal, shutters } = needs
  const { nic, bridge, holding, proofs } = entry
  await journal.put(entry)
  log.info({ nic, bridge, ...holding, proofs: proofs.map(proofText) }, 'a network card becomes part of a bridge')
  const port = isIn ? [] : join(bridge, nic, {}, { external_ids: map(uplinkMark) })
  await database.change([...port, ...(holding.addresses.length > 0 ? dress(entry) : [])])
  const { stderr } = await batch(exec, [`link set dev ${nic} up`, ...moveLines(holding, nic, bridge)])
  await shutters?.close(nic)
  const there = bareAddresses((await readDevices(exec)).get(bridge))
  const lost = holding.addresses.map(bare).filter((address) => !there.includes(address))
  if (lost.length > 0) return `${bridge} did not take ${lost.join(', ')}: ${stderr.trim().slice(-200)}`
  const silent = await silentAmong(exec, proofs, bridge, proofMs)
  if (silent.length > 0) return `${silent.map(proofText).join(' and ')} did not answer from ${bridge} within ${proofMs / 1000} s`
  await journal.put({ ...entry, step: 'moved' })
  return undefined
}

export type ReturnNeeds = Omit<MoveNeeds, 'log' | 'database'> & {
  /** Undefined: the switch does not run, so there is only the card. */
  database: Database | undefined
}

/** Everything as it was before. May be done again, and after a kill at any place in it. */
export async function giveBack(needs: ReturnNeeds, entry: Entry): Promise<void> {
  const { exec, database, journal, shutters } = needs
  const { nic, bridge, holding } = entry
  await journal.put({ ...entry, step: 'returning' })
  await shutters?.open(nic)
  if (database) await takeOut(database, entry)
  const lines = entry.boot === (await readBoot()) ? moveLines(holding, bridge, nic) : []
  await batch(exec, [`link set dev ${nic} up`, ...lines])
  await journal.drop(nic)
}
