import { toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import type { Network, NetworkPort, NicAsk } from '../../network/contract.ts'
import type { ComputeTables } from '../tables.ts'
import type { InstanceActions } from './instance-actions.ts'
import { type Actor, refuseLocked, refuseState } from './power.ts'
import type { Server } from './server.ts'
import { noSuchServer, type Servers } from './servers.ts'

export type Interfaces = ReturnType<typeof openInterfaces>

/**
 * Makes the ports what the server's nics say: makes those that are new, lets go of those that are not wanted, and forgets the nics whose
 * port somebody deleted. May be done twice, and by two at once.
 */
export async function followPorts(servers: Servers, network: () => Network, server: Server): Promise<NetworkPort[]> {
  const { id: owner, projectId, securityGroups, hostname, host } = server
  const actual = await portsOf(network, owner)
  const has = (ports: NetworkPort[], index: number) => ports.some((port) => port.index === index)
  const lost: number[] = []
  for (const { index, ...nic } of server.nics) {
    if (has(actual, index)) continue
    if (has(server.ports, index)) lost.push(index)
    else
      await network()
        .ensurePort({ owner, index, projectId, nic, securityGroups, hostname })
        .catch((error) => {
          // Whoever asked for it and heard nothing asks again.
          if (!isProblem(error)) throw error
          lost.push(index)
        })
  }
  for (const port of actual.filter((one) => !server.nics.some((nic) => nic.index === one.index)))
    await network().release({ owner, port: port.id })
  if (host !== '') await network().bind({ owner, host, availabilityZone: server.zone })
  const ports = await portsOf(network, owner)
  if (lost.length > 0) await servers.setNics(owner, (nics) => nics.filter((nic) => !lost.includes(nic.index)))
  await servers.save(owner, { ports: toJson(ports), ports_followed: server.portsChanged }, { deleted: 0 })
  return ports
}

const portsOf = async (network: () => Network, owner: string) => (await network().portsOf({ owners: [owner] }))[owner] ?? []

/** Ports that come and go while the server is there. The guest gets them with its next hard reboot, as the README says. */
export function openInterfaces(db: Db<ComputeTables>, servers: Servers, actions: InstanceActions, network: () => Network) {
  const check = (server: Server, actor: Actor, name: string) => {
    refuseLocked(server, actor)
    refuseState(server, name, ['active', 'paused', 'stopped'])
  }
  const record = (server: Server, actor: Actor, action: string) =>
    db.transaction(async (tx) => {
      const { userId, projectId } = actor.caller
      const happening = { serverId: server.id, action, userId, projectId: projectId ?? server.projectId, host: server.host }
      await actions.record(tx, { ...happening, event: `compute_${action}` })
      await actions.finish(tx, server.id, server.host)
    })
  /** The nics are written first: the machine follows them also when nobody is left to wait for the answer. */
  const follow = async (id: string) => {
    const server = await servers.living(id)
    if (!server) throw noSuchServer(id)
    return followPorts(servers, network, server)
  }
  return {
    async attach(server: Server, ask: NicAsk | undefined, actor: Actor): Promise<NetworkPort> {
      check(server, actor, 'attach_interface')
      const { projectId, securityGroups, hostname, id: owner } = server
      const nics = ask ? [ask] : []
      const [nic] = await network().check({ projectId, isAdmin: actor.isAdmin, nics, auto: !ask, servers: 1 })
      if (!nic) throw new Problem('invalid', 'No network to attach the interface to.')
      let index = 0
      await servers.setNics(owner, (old) => {
        index = Math.max(-1, ...old.map((one) => one.index), ...server.ports.map((port) => port.index)) + 1
        return [...old, { ...nic, index }]
      })
      try {
        await network().ensurePort({ owner, index, projectId, nic, securityGroups, hostname })
      } catch (error) {
        await servers.setNics(owner, (old) => old.filter((one) => one.index !== index))
        throw error
      }
      const ports = await follow(owner)
      await record(server, actor, 'attach_interface')
      return ports.find((port) => port.index === index)!
    },
    async detach(server: Server, portId: string, actor: Actor): Promise<void> {
      check(server, actor, 'detach_interface')
      const port = (await portsOf(network, server.id)).find((one) => one.id === portId)
      if (!port) throw new Problem('not-found', `Instance ${server.id} does not have a port with id ${portId}.`)
      await servers.setNics(server.id, (old) => old.filter((one) => one.index !== port.index))
      await follow(server.id)
      await record(server, actor, 'detach_interface')
    },
  }
}
