import type { SwitchPort } from '../driver.ts'
import { family } from './flows/addresses.ts'
import { isTunnel, type Tunnel, tunnelName } from './flows/tunnels.ts'
import { many, map, type Operation, optional, type Row, record, uuidOf } from './ovsdb/database.ts'
import { infrastructure, isInfrastructure, join, leave } from './ports.ts'

/** A tunnel port of ours as the database has it. */
export type TunnelRow = Tunnel & { name: string; uuid: string; bridge: string; localIp: string; ofport: number }

/** The end of the tunnels on this host. */
export type TunnelEnd = { bridge: string; localIp: string }

/** Tunnels that these ports need, by the name of their port: one to each host that shares a network, and to no other. */
export function wantedTunnels(ports: readonly SwitchPort[], localIp: string): Map<string, Tunnel> {
  const segments = new Set(ports.map((port) => port.segment).filter((segment) => isTunnel(segment.type)))
  const tunnels = [...segments].flatMap(({ type, peers }) =>
    peers.filter((peer) => family(peer) === 4 && peer !== localIp).map((peer): Tunnel => ({ type, peer })),
  )
  return new Map(tunnels.map((tunnel) => [tunnelName(tunnel), tunnel]))
}

export function readTunnels(bridges: Row[], ports: Row[], interfaces: Row[]): TunnelRow[] {
  const bridgeOf = new Map(bridges.flatMap((row) => many(row['ports']).map((port) => [uuidOf(port), String(row['name'])])))
  const byName = new Map(interfaces.map((row) => [String(row['name']), row]))
  return ports.flatMap((row) => {
    const name = String(row['name'])
    const link = byName.get(name)
    if (!link || !isInfrastructure(row) || !isTunnel(String(link['type']))) return []
    const { remote_ip: peer = '', local_ip: localIp = '' } = record(link['options'])
    const uuid = uuidOf(row['_uuid'])
    const ofport = Math.max(0, Number(optional(link['ofport']) ?? 0))
    return { name, uuid, type: String(link['type']), peer, localIp, bridge: bridgeOf.get(uuid) ?? '', ofport }
  })
}

const fits = (row: TunnelRow, tunnel: Tunnel, end: TunnelEnd) =>
  row.type === tunnel.type && row.peer === tunnel.peer && row.bridge === end.bridge && row.localIp === end.localIp

/** Takes out what stands in the way of these tunnels, e.g. those that begin at an address this host had before. */
export const clearTunnels = (wanted: Map<string, Tunnel>, here: TunnelRow[], end: TunnelEnd): Operation[] =>
  here
    .filter((row) => wanted.has(row.name) && !fits(row, wanted.get(row.name)!, end))
    .flatMap((row) => leave(row.bridge, [row.uuid]))

/** Makes those that are not there. Open vSwitch itself takes from a tunnel only what comes from its peer. */
export function layTunnels(wanted: Map<string, Tunnel>, here: TunnelRow[], { bridge, localIp }: TunnelEnd): Operation[] {
  const known = new Set(here.map((row) => row.name))
  return [...wanted]
    .filter(([name]) => !known.has(name))
    .flatMap(([name, { type, peer }]) => {
      const options = map({ local_ip: localIp, remote_ip: peer, in_key: 'flow', out_key: 'flow', df_default: 'true' })
      return join(bridge, name, { type, options }, { external_ids: infrastructure })
    })
}

/** Takes out those that no network needs any more. */
export const liftTunnels = (wanted: Map<string, Tunnel>, here: TunnelRow[]): Operation[] =>
  here.filter((row) => !wanted.has(row.name)).flatMap((row) => leave(row.bridge, [row.uuid]))
