import { toJson } from '../../../kit/db/columns.ts'
import type { Db } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Network, NetworkPort, NicAsk } from '../../network/contract.ts'
import type { ComputeTables } from '../tables.ts'
import type { InstanceActions } from './instance-actions.ts'
import { type Actor, refuseLocked, refuseState } from './power.ts'
import type { Nic, Server } from './server.ts'
import { noSuchServer, type Servers } from './servers.ts'

export type Interfaces = ReturnType<typeof openInterfaces>

/** Ports that come and go while the server is there. The guest gets them with its next hard reboot, as the README says. */
export function openInterfaces(db: Db<ComputeTables>, servers: Servers, actions: InstanceActions, network: () => Network) {
  /** Writes first what it then reads: on PostgreSQL that locks the row until both are done. */
  const setNics = (server: Server, next: (nics: Nic[]) => Nic[]) =>
    db.transaction(async (tx) => {
      const row = await tx
        .updateTable('compute_server')
        .set((eb) => ({ updated_at: eb.ref('updated_at') }))
        .where('id', '=', server.id)
        .where('deleted', '=', 0)
        .returning('nics')
        .executeTakeFirst()
      if (!row) throw noSuchServer(server.id)
      const nics = next(JSON.parse(row.nics) as Nic[])
      await servers.change(tx, server.id, { nics: toJson(nics) })
      return nics
    })
  const check = (server: Server, actor: Actor, name: string) => {
    refuseLocked(server, actor)
    refuseState(server, name, ['active', 'paused', 'stopped'])
  }
  const finish = (server: Server, actor: Actor, action: string) =>
    db.transaction(async (tx) => {
      const { userId, projectId } = actor.caller
      const happening = { serverId: server.id, action, userId, projectId: projectId ?? server.projectId, host: server.host }
      await actions.record(tx, { ...happening, event: `compute_${action}` })
      await actions.finish(tx, server.id, server.host)
    })
  /** What the host is told: the ports as they are now. */
  const replug = async (server: Server): Promise<NetworkPort[]> => {
    const ports = (await network().portsOf({ owners: [server.id] }))[server.id] ?? []
    await db.transaction(async (tx) => {
      await servers.change(tx, server.id, { ports: toJson(ports) }, { deleted: 0 })
      await servers.tell(tx, server)
    })
    return ports
  }
  return {
    async attach(server: Server, ask: NicAsk | undefined, actor: Actor): Promise<NetworkPort> {
      check(server, actor, 'attach_interface')
      const { projectId, securityGroups, hostname, id: owner } = server
      const nics = ask ? [ask] : []
      const [nic] = await network().check({ projectId, isAdmin: actor.isAdmin, nics, auto: !ask, servers: 1 })
      if (!nic) throw new Problem('invalid', 'No network to attach the interface to.')
      let index = 0
      await setNics(server, (old) => {
        index = Math.max(-1, ...old.map((one) => one.index)) + 1
        return [...old, { ...nic, index }]
      })
      try {
        const port = await network().ensurePort({ owner, index, projectId, nic, securityGroups, hostname })
        await network().bind({ owner, host: server.host, availabilityZone: server.zone })
        await replug(server)
        await finish(server, actor, 'attach_interface')
        return port
      } catch (error) {
        await setNics(server, (old) => old.filter((one) => one.index !== index))
        throw error
      }
    },
    async detach(server: Server, portId: string, actor: Actor): Promise<void> {
      check(server, actor, 'detach_interface')
      const ports = (await network().portsOf({ owners: [server.id] }))[server.id] ?? []
      const port = ports.find((one) => one.id === portId)
      if (!port) throw new Problem('not-found', `Instance ${server.id} does not have a port with id ${portId}.`)
      await setNics(server, (old) => old.filter((one) => one.index !== port.index))
      await network().release({ owner: server.id, port: portId })
      await replug(server)
      await finish(server, actor, 'detach_interface')
    },
  }
}
