import { type FSWatcher, watch as watchFiles } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Log } from '../../../kit/log.ts'
import type { Programmed, SwitchPort, SwitchPortSeen, Vswitch } from '../driver.ts'
import { type BridgeOptions, ensureBridge, ensureBridges, readUplinks } from './bridges.ts'
import { cookie } from './flows/cookies.ts'
import type { FlowChange } from './flows/difference.ts'
import { type Bystander, pipeline, portProblem, ruleProblem, type Uplinks } from './flows/pipeline.ts'
import { numberSets, setCookie, usesSet } from './flows/sets.ts'
import { table, type WiredPort } from './flows/tables.ts'
import { isTunnel, type TunnelDoors, tunnelPipeline } from './flows/tunnels.ts'
import { openOpenFlow } from './openflow.ts'
import { type Operation, openDatabase, type Row, uuidOf } from './ovsdb/database.ts'
import { insertPort, isCurrent, leave, numbersOf, type PortRow, readPorts, updatePort } from './ports.ts'
import { type HostLink, openTaps } from './taps.ts'
import { clearTunnels, layTunnels, liftTunnels, readTunnels, type TunnelRow, wantedTunnels } from './tunnels.ts'
import { type Cards, openUplinks } from './uplinks.ts'

export type OvsOptions = {
  exec: Exec
  log: Log
  /** Where Open vSwitch has its sockets. Default /run/openvswitch. */
  runDir?: string
  /** Default br-int. */
  integration?: string
  /** Default br-tun. */
  tunnel?: string
  /** Physical network to bridge; bridges that are not there are made. */
  bridgeMappings: Record<string, string>
  tunnelIp: string | undefined
  /** The bridge gets the address (CIDR), so that the host reaches what is outside of routers. */
  externalBridge?: { bridge: string; address: string }
  datapath: 'system' | 'netdev'
  /** What is to become of the host's network cards; undefined: they are left alone. */
  cards?: Cards
  /** The user who may open guests' taps beside root. */
  tapOwner?: string
  /** Whether a namespace of ours holds the device: what the switch made and a namespace took cannot be seen from here. */
  holds(device: string): Promise<boolean>
}

/** The kernel's datapath where its module is, else the one in user space. */
export const probeDatapath = (): Promise<'system' | 'netdev'> =>
  access('/sys/module/openvswitch').then(
    () => 'system',
    () => 'netdev',
  )

type View = {
  rows: PortRow[]
  tunnels: TunnelRow[]
  uplinks: Uplinks
  doors: TunnelDoors | undefined
  links: Map<string, HostLink>
  uuids: Map<string, string>
}

/** Open vSwitch on this host. */
export function openOvs(options: OvsOptions): Vswitch {
  const { exec, log, runDir = '/run/openvswitch', integration = 'br-int', tunnel = 'br-tun', datapath, externalBridge } = options
  const database = openDatabase(join(runDir, 'db.sock'))
  const openflow = openOpenFlow({ exec, runDir, datapath })
  const taps = openTaps({ exec, owner: options.tapOwner, shut: datapath === 'netdev' })
  const { bridgeMappings: mappings, tunnelIp } = options
  const bridges: BridgeOptions = { integration, tunnel, mappings, tunnelIp, datapath }
  const makeBridge = (name: string) => ensureBridge(database, name, bridges)
  const cards = options.cards && openUplinks({ ...options, ...options.cards, database, ensureBridge: makeBridge })

  const look = async (): Promise<View> => {
    const [bridgeRows, ports, interfaces] = await Promise.all([
      database.select('Bridge', ['_uuid', 'name', 'ports']),
      database.select('Port', ['_uuid', 'name', 'interfaces', 'tag', 'external_ids']),
      database.select('Interface', ['_uuid', 'name', 'type', 'options', 'ofport', 'error', 'external_ids', 'mtu_request']),
    ])
    const tunnels = readTunnels(bridgeRows, ports, interfaces)
    return {
      rows: readPorts(bridgeRows, ports, interfaces),
      tunnels,
      ...readUplinks(interfaces, tunnels, mappings),
      links: await taps.links(),
      uuids: new Map(ports.map((row: Row) => [String(row['name']), uuidOf(row['_uuid'])])),
    }
  }

  const isHere = async ({ kind, device }: PortRow, links: View['links']): Promise<boolean> =>
    kind === 'vm' ? links.get(device)?.shut === true : links.has(device) || (await options.holds(device))

  const seen = async (row: PortRow, links: View['links']): Promise<SwitchPortSeen> => {
    const here = row.ofport > 0 && (await isHere(row, links))
    const { id, kind, device, networkId, bridge } = row
    return { id, kind, device, networkId, bridge, plugged: here && row.error === undefined, error: row.error }
  }

  /** Taps of ours that the switch does not know: left by a kill between the two. */
  const loose = ({ rows, links }: View): SwitchPortSeen[] => {
    const known = new Set(rows.map((row) => row.device))
    return [...links.values()].flatMap(({ device, owner }) =>
      owner === undefined || known.has(device)
        ? []
        : { id: owner || device, kind: 'vm', device, networkId: '', bridge: '', plugged: false, error: undefined },
    )
  }

  const takeOut = async (row: PortRow, uuids: View['uuids']) => {
    const uuid = uuids.get(row.device)
    if (uuid !== undefined) await database.change(leave(row.bridge, [uuid]))
    if (row.guarded && row.zone > 0) await openflow.flush(row.zone)
  }

  const put = async (port: SwitchPort, view: View) => {
    const numbers = numbersOf(port, view.rows)
    if (numbers.vlan === 0 || numbers.zone === 0)
      throw new Problem('no-capacity', 'The host has no room for another network or port.')
    const row = view.rows.find((one) => one.id === port.id)
    if (row) {
      if (!isCurrent(row, port)) await database.change(updatePort(port, numbers))
      return
    }
    if (view.uuids.has(port.device)) throw new Problem('conflict', `A port ${port.device} that is not ours is in the way.`)
    // A zone may have been another port's: nothing of its connections may count for this one.
    if (port.guarded) await openflow.flush(numbers.zone)
    await database.change(insertPort(integration, port, numbers))
  }

  const addressBridge = async () => {
    if (!externalBridge) return
    const { bridge, address } = externalBridge
    const lines = [`addr replace ${address} dev ${bridge}`, `link set dev ${bridge} up`]
    await exec.run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })
  }

  /** Undefined: the switch has not taken it yet. A text: it never will. */
  const wire = (port: SwitchPort, { rows }: View): WiredPort | string | undefined => {
    const row = rows.find((one) => one.id === port.id)
    if (!row || row.ofport === 0) return undefined
    const wired = { ...port, mac: port.mac.toLowerCase(), ofport: row.ofport, zone: row.zone, vlan: row.vlan }
    return portProblem(wired) ?? reachProblem(port, bridges) ?? wired
  }

  const changeSome = async (operations: Operation[]) => {
    if (operations.length > 0) await database.change(operations)
    return operations.length > 0
  }

  const ensureTunnels = async (ports: readonly SwitchPort[]) => {
    if (tunnelIp === undefined) return
    const [wanted, end] = [wantedTunnels(ports, tunnelIp), { bridge: tunnel, localIp: tunnelIp }]
    if (wanted.size > 0) await cards?.underlay()
    const { tunnels: here } = await look()
    const cleared = await changeSome(clearTunnels(wanted, here, end))
    await changeSome(layTunnels(wanted, cleared ? (await look()).tunnels : here, end))
  }

  const dropTunnels = async (ports: readonly SwitchPort[], { tunnels }: View) => {
    await changeSome(liftTunnels(tunnelIp === undefined ? new Map() : wantedTunnels(ports, tunnelIp), tunnels))
  }

  /** What the switch's database says about a port follows the document. */
  const keepCurrent = async (ports: readonly SwitchPort[]) => {
    const view = await look()
    for (const port of ports) if (view.rows.some((row) => row.id === port.id && !isCurrent(row, port))) await put(port, view)
  }

  /** Connections that live by a rule end with it, also by one whose other end left the set of addresses it speaks of. */
  const cutConnections = async (removed: FlowChange[], ports: WiredPort[]) => {
    const ruled = removed.filter(
      ({ key }) => key.startsWith(`table=${table.sentTracked} `) || key.startsWith(`table=${table.receivedTracked} `),
    )
    const cookies = new Set(ruled.map((change) => change.cookie))
    const left = new Set(ruled.filter((change) => change.cookie === setCookie).flatMap((change) => change.sets))
    const sets = numberSets(ports)
    for (const port of ports)
      if (cookies.has(cookie('port', port.id)) || usesSet(port, sets, left)) await openflow.flush(port.zone)
  }

  return {
    async prepare() {
      await ensureBridges(database, bridges)
      await cards?.ensure()
      await addressBridge()
    },
    async list() {
      const view = await look()
      return [...(await Promise.all(view.rows.map((row) => seen(row, view.links)))), ...loose(view)]
    },
    async plug(port) {
      if (port.kind === 'vm') await taps.make({ id: port.id, device: port.device, mtu: port.segment.mtu })
      let view = await look()
      const row = view.rows.find((one) => one.id === port.id)
      // The switch makes its own device only when the port is made: one whose device was lost has to be made anew.
      if (row && port.kind === 'internal' && !(await isHere(row, view.links))) {
        await takeOut(row, view.uuids)
        view = await look()
      }
      await put(port, view)
    },
    async unplug(id) {
      const view = await look()
      const rows = view.rows.filter((row) => row.id === id)
      for (const row of rows) await takeOut(row, view.uuids)
      const devices = [...view.links.values()].filter(({ owner, device }) => owner === id || (owner === '' && device === id))
      for (const { device } of devices) await taps.remove(device)
    },
    async program(ports, { keepOthers }) {
      await ensureTunnels(ports)
      await keepCurrent(ports)
      const view = await look()
      const tried = ports.map((port) => ({ port, wired: wire(port, view) }))
      const good = tried.flatMap(({ wired }) => (typeof wired === 'object' && wired.adminUp ? wired : []))
      const named = new Set(ports.map((port) => port.id))
      const others: Bystander[] = keepOthers ? view.rows.filter((row) => !named.has(row.id) && row.ofport > 0) : []
      const removable = removableOf(ports, keepOthers)
      // br-tun first: a local number that passed from one network to another must not be the old one's there when br-int uses it anew.
      if (view.doors) await openflow.become(tunnel, tunnelPipeline(good, view.doors), removable)
      const removed = await openflow.become(integration, pipeline(good, others, view.uplinks), removable)
      if (!keepOthers) await dropTunnels(ports, view)
      if (removed.length > 0) await cutConnections(removed, good)
      return tried.map(
        ({ port, wired }): Programmed =>
          typeof wired === 'object'
            ? { id: port.id, inForce: port.adminUp, error: ruleProblem(wired) }
            : { id: port.id, inForce: false, error: wired },
      )
    },
    async inventory() {
      const view = await look()
      const broken = view.rows.filter((row) => row.error !== undefined).map((row) => `${row.device}: ${row.error}`)
      const stray = loose(view).map(({ device, bridge, id }) => ({ id, device, bridge }))
      return {
        ports: [...view.rows.map(({ id, device, bridge }) => ({ id, device, bridge })), ...stray],
        problems: [...broken, ...(cards?.problems() ?? [])],
      }
    },
    watch(changed) {
      const unwatch = database.watch(changed)
      const files = watchRestarts(runDir, changed, log)
      const unwatchCards = cards?.watch(changed)
      return () => {
        unwatch()
        unwatchCards?.()
        files?.close()
      }
    },
    async close() {
      database.close()
    },
  }
}

/** Of which cookies flows may go. What woke a port stays as long as the port is on its way here: nobody wrote it, so nobody asks for it. */
function removableOf(ports: readonly SwitchPort[], keepOthers: boolean): (cookie: string) => boolean {
  const networks = ports.map((port) => port.segment.networkId)
  const learned = new Set(ports.filter((port) => port.move === 'comes').map((port) => cookie('learned', port.id)))
  const mine = new Set([...ports.map((port) => cookie('port', port.id)), ...networks.map((id) => cookie('network', id))])
  return (one) => !learned.has(one) && (!keepOthers || mine.has(one))
}

/** Why the segment cannot be reached from this host. */
function reachProblem({ segment }: SwitchPort, { mappings, tunnelIp }: BridgeOptions): string | undefined {
  const { type, physicalNetwork, segmentationId } = segment
  if ((type === 'flat' || type === 'vlan') && (physicalNetwork === undefined || mappings[physicalNetwork] === undefined)) {
    return `This host has no bridge to the physical network ${physicalNetwork}.`
  }
  if (isTunnel(type) && tunnelIp === undefined) return `This host has no tunnel address, so it cannot carry ${type} networks.`
  const numbered = type !== 'flat' && type !== 'local'
  return numbered && segmentationId === undefined ? `The ${type} network has no segmentation id.` : undefined
}

/** The switch writes its pid file when it starts: a new one means that every flow is gone, while the database says nothing changed. */
function watchRestarts(runDir: string, changed: () => void, log: Log): FSWatcher | undefined {
  let timer: NodeJS.Timeout | undefined
  try {
    const watcher = watchFiles(runDir, (_event, file) => {
      if (file !== 'ovs-vswitchd.pid' && !file?.endsWith('.mgmt')) return
      clearTimeout(timer)
      timer = setTimeout(changed, 50)
    })
    watcher.on('close', () => clearTimeout(timer))
    return watcher
  } catch (error) {
    log.warn({ runDir, error: String(error) }, 'cannot notice restarts of Open vSwitch; the next round does')
    return undefined
  }
}
