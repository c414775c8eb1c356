import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { explainError } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Log } from '../../../kit/log.ts'
import { type Database, openDatabase } from './ovsdb/database.ts'
import { openShutters } from './shutters.ts'
import { bare, bareAddresses, type Device, gatewaysOf, type Holding, isLeased, together } from './uplinks-holding.ts'
import { type Entry, openJournal, readBoot } from './uplinks-journal.ts'
import { answering, bringIn, giveBack, type MoveNeeds, readBridgePorts, readDevices, readHolding } from './uplinks-move.ts'
import type { Proof } from './uplinks-proof.ts'

/** A network card that is to be part of a bridge. */
export type Uplink = { bridge: string; nic: string }

/** What is to become of this host's cards. */
export type Cards = {
  uplinks: readonly Uplink[]
  /** Card of the tunnels; undefined: the one that has the address they begin at. */
  tunnelInterface: string | undefined
  /** Where the journal of moves lies. */
  stateDir: string
  /** Whom the host has to reach whatever is moved; undefined: nobody. */
  controller: { host: string; port: number } | undefined
}

export type UplinkOptions = Cards & {
  exec: Exec
  log: Log
  database: Database
  datapath: 'system' | 'netdev'
  tunnelIp: string | undefined
  /** That address is no card's. */
  externalBridge?: { bridge: string; address: string }
  /** Makes the bridge where it is missing. */
  ensureBridge(name: string): Promise<void>
}

export type Uplinks = {
  /** Cards are in their bridges and what they had is on the bridges, or a problem says why not. */
  ensure(): Promise<void>
  /** A switch in user space sends into tunnels by way of a bridge that has both card and address: sees to it. */
  underlay(): Promise<void>
  problems(): string[]
  /** Calls back when somebody gave a card of a bridge an address, as the distribution does at boot. Gives the way to stop. */
  watch(changed: () => void): () => void
}

/** A call of the kernel, much cheaper than a program. */
const lookMs = 1000

/** How long a card that had a gateway before may be without. */
const halfMs = 10_000

/** The bridge of the card whose address tunnels begin at. */
export const underlayBridge = 'br-phy'

type World = { devices: Map<string, Device>; ports: Map<string, Map<string, string>>; entries: Entry[]; boot: string }

/**
 * Cards of this host in bridges of the switch. What a card has (addresses, routes) goes to the bridge's own device in one guarded act: what answered before has to answer
 * afterwards, or all is taken back, and not tried again before the agent is started anew.
 */
export function openUplinks(options: UplinkOptions): Uplinks {
  const { exec, log, database, datapath, uplinks, tunnelIp, controller } = options
  const journal = openJournal(options.stateDir)
  const shutters = datapath === 'netdev' ? openShutters(exec) : undefined
  const needs: MoveNeeds = { exec, log, database, journal, shutters }
  const problems = new Map<string, string>()
  const refused = new Map<string, string>()
  const tuned = new Set<string>()
  const half = new Map<string, number>()
  /** Cards that have no addresses of their own when all is well. */
  const cables = new Set(uplinks.map(({ nic }) => nic))
  /** What addresses they had when they were looked at last. */
  let addressed = ''

  const look = async (): Promise<World> => {
    const [devices, ports, entries, boot] = await Promise.all([
      readDevices(exec),
      readBridgePorts(database),
      journal.all(),
      readBoot(),
    ])
    return { devices, ports, entries, boot }
  }
  const wantedOf = (entries: readonly Entry[]): Uplink[] => {
    const underlay = datapath === 'netdev' ? entries.filter(({ isUnderlay }) => isUnderlay) : []
    return [...uplinks, ...underlay.filter(({ nic }) => !uplinks.some((one) => one.nic === nic))]
  }
  const say = (nic: string, problem: string | undefined) => {
    if (problem === undefined) problems.delete(nic)
    else if (problems.get(nic) !== problem) {
      problems.set(nic, problem)
      log.error({ nic }, problem)
    }
  }
  const proofsOf = (holding: Holding): Proof[] => [
    ...(controller && !isHere(controller.host) ? [{ by: 'controller' as const, ...controller }] : []),
    ...gatewaysOf(holding).map((ip) => ({ by: 'gateway' as const, ip })),
  ]

  /** In user space a card behind which another kernel is, as in a container, would pass frames with half-made checksums. */
  const tune = async ({ ifname, linkinfo }: Device) => {
    if (datapath !== 'netdev' || linkinfo?.info_kind !== 'veth' || tuned.has(ifname)) return
    await exec.run(['ethtool', '-K', ifname, 'tx', 'off'])
    tuned.add(ifname)
  }

  /** Once moved, the bridge is what counts: an operator may have given it another address. A bridge that lost all was made anew by the switch. */
  const isSettled = async (entry: Entry | undefined, { devices, boot }: World, nic: Device): Promise<boolean> => {
    if (entry?.step !== 'moved' || entry.boot !== boot || bareAddresses(nic).length > 0) return false
    const bridge = devices.get(entry.bridge)
    const there = bareAddresses(bridge).filter(isCards)
    if (!bridge || (there.length === 0 && entry.holding.addresses.length > 0)) return false
    if (shutters !== undefined && !(await shutters.look())(nic.ifname)) return false
    if (there.join() !== entry.holding.addresses.map(bare).join())
      await journal.put({ ...entry, holding: await holdingOn(bridge) })
    return true
  }
  const movedOf = async ({ step, bridge, holding }: Entry, { devices }: World): Promise<Holding> => {
    const device = devices.get(bridge)
    const counts = step === 'moved' && device !== undefined && bareAddresses(device).some(isCards)
    return counts ? holdingOn(device) : holding
  }
  const isCards = (address: string) => address !== options.externalBridge?.address
  const holdingOn = async (bridge: Device): Promise<Holding> => {
    const { addresses, routes } = await readHolding(exec, bridge)
    return { addresses: addresses.filter((address) => isCards(bare(address))), routes }
  }

  /** Whoever addresses the card gives it its routes a moment later, and could not any more once the address is gone. */
  const isHalf = ({ nic, holding }: Entry, found: Holding): boolean => {
    if (gatewaysOf(holding).length === 0 || gatewaysOf(found).length > 0) return false
    const since = half.get(nic) ?? Date.now()
    half.set(nic, since)
    return Date.now() - since < halfMs
  }

  /** What is to be moved and what has to answer afterwards; undefined: nothing yet. */
  const intended = async (uplink: Uplink, world: World, device: Device, isUnderlay: boolean): Promise<Entry | undefined> => {
    const { nic, bridge } = uplink
    const entry = world.entries.find((one) => one.nic === nic)
    const isThisBoot = entry?.boot === world.boot
    const isIn = isPart(uplink, world)
    const found = await readHolding(exec, device)
    // The distribution has yet to say what the card has: it may be something else than before.
    if (entry && !isThisBoot && entry.holding.addresses.length > 0 && found.addresses.length === 0) return undefined
    if (entry && !isThisBoot && isHalf(entry, found)) return undefined
    const holding = entry && isThisBoot ? together(await movedOf(entry, world), found) : found
    // What was proven once, and an address that nobody asked us to move while the card is cut off, need no proof.
    const before =
      entry?.step === 'moving' && isThisBoot ? entry.proofs : isIn ? [] : await answering(exec, proofsOf(holding), nic)
    return {
      ...{ nic, bridge, step: 'moving', boot: world.boot, holding, proofs: holding.addresses.length > 0 ? before : [] },
      ...{ mac: device.address, mtu: device.mtu, joined: entry?.joined ?? !isIn, ...(isUnderlay && { isUnderlay }) },
    }
  }

  const bring = async (uplink: Uplink, world: World, isUnderlay: boolean): Promise<string | undefined> => {
    const { nic, bridge } = uplink
    const device = world.devices.get(nic)
    const trouble = obstacle(uplink, world)
    if (trouble !== undefined || !device) return trouble
    await tune(device)
    const entry = world.entries.find((one) => one.nic === nic)
    const next = (await isSettled(entry, world, device)) ? undefined : await intended(uplink, world, device, isUnderlay)
    if (!next) return undefined
    if (isLeased(device)) log.warn({ nic }, 'the address of the card is leased: give the host a fixed one')
    const failure = await bringIn(needs, next, isPart(uplink, world)).catch(explainError)
    if (failure === undefined) return undefined
    await giveBack(needs, next)
    const text = `${nic} was not made part of ${bridge}, and everything is as it was: ${failure}. Started anew, the agent tries again.`
    refused.set(nic, text)
    return text
  }

  const takeOut = async (entries: readonly Entry[], wanted: readonly Uplink[]) => {
    const isWanted = ({ nic, bridge, step }: Entry) =>
      step !== 'returning' && wanted.some((one) => one.nic === nic && one.bridge === bridge)
    const leaving = entries.filter((entry) => !isWanted(entry))
    for (const entry of leaving) {
      log.info({ nic: entry.nic, bridge: entry.bridge }, 'a network card leaves its bridge')
      await giveBack(needs, entry)
      say(entry.nic, undefined)
    }
    return leaving.length > 0
  }

  const bringAll = async (wanted: readonly Uplink[], isUnderlay: (uplink: Uplink) => boolean) => {
    for (const uplink of wanted) {
      const earlier = refused.get(uplink.nic)
      say(uplink.nic, earlier ?? (await bring(uplink, await look(), isUnderlay(uplink)).catch(explainError)))
    }
  }

  return {
    async ensure() {
      const entries = await journal.all()
      const wanted = wantedOf(entries)
      for (const { nic } of wanted) cables.add(nic)
      addressed = addressesOf(cables)
      const changed = await takeOut(entries, wanted)
      const now = changed ? await journal.all() : entries
      await bringAll(wanted, ({ nic }) => now.find((entry) => entry.nic === nic)?.isUnderlay ?? false)
    },
    async underlay() {
      if (datapath !== 'netdev' || tunnelIp === undefined) return
      const { devices, ports, entries } = await look()
      const holder = [...devices.values()].find((one) => bareAddresses(one).some((address) => address.split('/')[0] === tunnelIp))
      const nic = options.tunnelInterface ?? holder?.ifname
      if (holder && ports.has(holder.ifname)) return
      if (nic === undefined || entries.some((entry) => entry.nic === nic)) return
      if (nic === 'lo') return say(nic, `Tunnels cannot begin at ${tunnelIp}: it is on no network card.`)
      if (uplinks.some((one) => one.nic === nic)) return
      await options.ensureBridge(underlayBridge)
      await bringAll([{ bridge: underlayBridge, nic }], () => true)
    },
    problems: () => [...problems.values()],
    watch(changed) {
      let last = addressed
      const timer = setInterval(() => {
        const now = addressesOf(cables)
        const isSteady = now === last
        last = now
        if (now === addressed || !isSteady) return
        addressed = now
        if (now !== '') changed()
      }, lookMs).unref()
      return () => clearInterval(timer)
    },
  }
}

const isPart = ({ nic, bridge }: Uplink, { ports }: World): boolean => ports.get(bridge)?.has(nic) ?? false

/** What stands in the way of touching the card at all. */
function obstacle({ nic, bridge }: Uplink, { devices, ports }: World): string | undefined {
  const device = devices.get(nic)
  if (!device) return `There is no network card ${nic}, which is to be part of ${bridge}.`
  if (!ports.has(bridge)) return `There is no bridge ${bridge}, which ${nic} is to be part of.`
  if (device.master !== undefined && device.master !== 'ovs-system')
    return `${nic} belongs to ${device.master}, so it cannot be part of ${bridge}.`
  const other = [...ports].find(([name, names]) => name !== bridge && names.has(nic))?.[0]
  return other === undefined ? undefined : `${nic} is part of ${other} already, so it cannot be part of ${bridge}.`
}

/** A text, to be compared. */
const addressesOf = (cards: ReadonlySet<string>): string =>
  Object.entries(networkInterfaces())
    .filter(([name]) => cards.has(name))
    .flatMap(([, all = []]) => all.filter(({ scopeid }) => !scopeid).map(({ cidr }) => cidr))
    .join()

const isHere = (host: string) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

export type ReturnOptions = {
  exec: Exec
  /** Socket of the switch's database; undefined: the switch does not run. */
  socket: string | undefined
  datapath: 'system' | 'netdev'
  stateDir: string
}

/** Gives every card back what was moved from it: for who takes all of ours away, when no agent runs any more. Gives the names of the cards. */
export async function returnUplinks({ exec, socket, datapath, stateDir }: ReturnOptions): Promise<string[]> {
  const journal = openJournal(stateDir)
  const entries = await journal.all()
  if (entries.length === 0) return []
  const database = socket === undefined ? undefined : openDatabase(socket)
  const shutters = datapath === 'netdev' ? openShutters(exec) : undefined
  for (const entry of entries) await giveBack({ exec, database, journal, shutters }, entry)
  database?.close()
  return entries.map(({ nic }) => nic)
}
