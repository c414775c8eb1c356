import type { Power } from '../../../agents/document.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Quota } from '../../../kit/quota/quota.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ComputeTables } from '../tables.ts'
import { snapshot } from './create-server.ts'
import type { Flavors } from './flavors.ts'
import type { ComputeHosts } from './hosts.ts'
import type { InstanceActions } from './instance-actions.ts'
import { inProgress, type Migration, type Migrations, type MigrationType } from './migrations.ts'
import { type Actor, refuseLocked, refuseState } from './power.ts'
import type { Placed } from './scheduling.ts'
import type { FlavorSnapshot, Server } from './server.ts'
import { type Servers, serverKind } from './servers.ts'
import type { TaskState, VmState } from './states.ts'

export type MovingWorld = {
  db: Db<ComputeTables>
  work: Work
  quota: Quota<ComputeTables>
  servers: Servers
  actions: InstanceActions
  migrations: Migrations
  computeHosts: ComputeHosts
  flavors: Flavors
  /** Hosts where a server of this size may be. */
  choose: (server: Server, flavor: FlavorSnapshot, placed: Placed) => Promise<{ hosts: { name: string }[] }>
}

/** `host` empty: any. `unfiltered`: not asking whether it should be there, only whether it has room. */
export type WhereTo = { host: string; unfiltered: boolean }

/** `sharedDisk`: somebody thinks that both hosts see the same disks. `later`: what stands in its way is found out after the answer. */
export type LiveAsk = WhereTo & { sharedDisk: boolean; later: boolean }

const bad = (message: string) => new Problem('invalid', message)
const unavailable = () => new Problem('conflict', 'Service is unavailable at this time.')
const GiB = 2 ** 30

type Begin = {
  type: MigrationType
  name: string
  action: string
  event: string
  from: VmState[]
  over?: TaskState[] | 'any'
  task: TaskState
  to: WhereTo
  newFlavor: FlavorSnapshot
  error?: string
  /** How it is to be afterwards; default: as it is. */
  power?: Power
}

/** As nova has it, who does not say `AUTO` when a server goes switched off says `MANUAL`. */
export type DiskConfig = 'AUTO' | 'MANUAL'

export type Moving = ReturnType<typeof openMoving>

/** What is asked of servers that are to be on another host: each writes what should be, and the server's machine does it. */
export function openMoving(world: MovingWorld) {
  const { db, work, quota, servers, actions, migrations, computeHosts, flavors, choose } = world

  const record = (tx: Tx<ComputeTables>, server: Server, { caller }: Actor, action: string, event?: string) =>
    actions.record(tx, {
      serverId: server.id,
      action,
      userId: caller.userId,
      projectId: caller.projectId ?? server.projectId,
      host: server.host,
      ...(event === undefined ? {} : { event }),
    })

  /** Throws conflict when the server cannot go anywhere now. */
  const refuseBusy = (server: Server, { name, from, over }: Begin) => {
    refuseState(server, name, from, over)
    if (server.host === '' || !server.assigned) throw new Problem('conflict', `Instance ${server.id} is not ready`)
    if (server.moveId !== '')
      throw new Problem('conflict', `Cannot '${name}' instance ${server.id} while it is on its way to another host`)
  }

  const begin = async (server: Server, ask: Begin, actor: Actor, within?: (tx: Tx<ComputeTables>) => Promise<object>) =>
    db.transaction(async (tx) => {
      const more = (await within?.(tx)) ?? {}
      const { type, newFlavor, to } = ask
      const { power = server.power } = ask
      const { userId } = actor.caller
      const id = await migrations.create(tx, server, {
        type,
        userId,
        askedHost: to.host,
        unfiltered: to.unfiltered,
        newFlavor,
        power,
        ...(ask.error === undefined ? {} : { error: ask.error }),
      })
      const still = { vm_state: server.vmState, task_state: server.taskState, generation: server.generation, deleted: 0 }
      const set = { move_id: id, task_state: ask.task, progress: 0, ...more }
      if (!(await servers.change(tx, server.id, set, still)))
        throw new Problem('conflict', `Cannot '${ask.name}' instance ${server.id} while it is changing`)
      await record(tx, server, actor, ask.action, ask.event)
      await work.wake(serverKind, server.id, tx as never)
    })

  const isUp = async (host: string) => (await computeHosts.find(host))?.up === true

  /** The migration that waits for its owner's word. */
  const unconfirmed = async (server: Server): Promise<Migration> => {
    const migration = await migrations.find(server.moveId)
    if (migration?.status !== 'finished') throw bad('Instance has not been resized.')
    return migration
  }

  const decide = async (server: Server, name: 'confirmResize' | 'revertResize', actor: Actor) => {
    refuseLocked(server, actor)
    refuseState(server, name, ['resized'])
    const migration = await unconfirmed(server)
    if (name === 'confirmResize' && !(await isUp(migration.sourceHost))) throw unavailable()
    await db.transaction(async (tx) => {
      const status = name === 'confirmResize' ? 'confirming' : 'reverting'
      if (!(await migrations.change(tx, migration.uuid, { status }, ['finished']))) throw bad('Instance has not been resized.')
      if (name === 'revertResize') await servers.change(tx, server.id, { task_state: 'resize_reverting' })
      await record(tx, server, actor, name, name === 'confirmResize' ? 'compute_confirm_resize' : 'compute_revert_resize')
      await work.wake(serverKind, server.id, tx as never)
    })
  }

  /** A live migration of the server by its number, that is in one of these states. */
  const running = async (server: Server, number: string, method: string, allowed: string[]): Promise<Migration> => {
    const found = (await migrations.ofServer(server.id)).find((one) => String(one.number) === number)
    if (!found) throw new Problem('not-found', `Migration ${number} not found for instance ${server.id}`)
    if (!allowed.includes(found.status))
      throw bad(
        `Migration ${number} state of instance ${server.id} is ${found.status}. Cannot ${method} while the migration is in this state.`,
      )
    return found
  }

  const steer = (server: Server, migration: Migration, set: { cancelled: 1 } | { forced: 1 }, action: string, actor: Actor) =>
    db.transaction(async (tx) => {
      await migrations.change(tx, migration.uuid, set)
      await record(tx, server, actor, action)
      await work.wake(serverKind, server.id, tx as never)
    })

  return {
    /** Of a guest that runs, with its memory and its disk. Throws invalid for an unknown host, and as `locked` and states demand. */
    async live(server: Server, { sharedDisk, later, ...to }: LiveAsk, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      const ask: Begin = {
        ...{ type: 'live-migration', name: 'os-migrateLive', action: 'live-migration', event: 'compute_live_migration' },
        ...{ from: ['active', 'paused'], task: 'migrating', to, newFlavor: server.flavor },
      }
      refuseBusy(server, ask)
      await knownHost(to.host)
      const error = sharedDisk ? notShared(server) : undefined
      if (!later) await refuseUnfit(server, to, error)
      await begin(server, error === undefined ? ask : { ...ask, error }, actor)
    },
    /** Of a guest that is switched off for it, until somebody confirms that it is well. */
    async cold(server: Server, host: string, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      const ask: Begin = {
        ...{ type: 'migration', name: 'migrate', action: 'migrate', event: 'compute_resize_instance' },
        ...{ from: ['active', 'stopped'], task: 'resize_prep', to: { host, unfiltered: false }, newFlavor: server.flavor },
      }
      refuseBusy(server, ask)
      if (!(await isUp(server.host))) throw unavailable()
      if (host === server.host) throw bad('Cannot migrate to the host where the server exists.')
      await knownHost(host)
      await begin(server, ask, actor, async () => ({ disk_config: 'MANUAL' satisfies DiskConfig }))
    },
    /** The same, to another size. Throws invalid and over-quota too. */
    async resize(server: Server, flavorId: string, diskConfig: DiskConfig, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      const found = await flavors.findFor(flavorId, { projectId: actor.caller.projectId, all: actor.isAdmin })
      if (!found) throw bad(`Flavor ${flavorId} could not be found.`)
      const newFlavor = snapshot(found)
      const ask: Begin = {
        ...{ type: 'resize', name: 'resize', action: 'resize', event: 'compute_resize_instance' },
        ...{ from: ['active', 'stopped'], task: 'resize_prep', to: { host: '', unfiltered: false }, newFlavor },
      }
      refuseBusy(server, ask)
      if (!(await isUp(server.host))) throw unavailable()
      checkFlavor(server, newFlavor)
      const { flavor: old } = server
      await begin(server, ask, actor, async (tx) => {
        const cores = Math.max(0, newFlavor.vcpus - old.vcpus)
        await quota.allow(tx, server.projectId, { cores, ram: Math.max(0, newFlavor.memoryMb - old.memoryMb) })
        // The larger of both counts until it is decided: going back must always be possible.
        return {
          vcpus: Math.max(newFlavor.vcpus, old.vcpus),
          memory_mb: Math.max(newFlavor.memoryMb, old.memoryMb),
          disk_config: diskConfig,
        }
      })
    },
    confirm: (server: Server, actor: Actor): Promise<void> => decide(server, 'confirmResize', actor),
    revert: (server: Server, actor: Actor): Promise<void> => decide(server, 'revertResize', actor),
    /** Makes it anew elsewhere, from its image, because its host is dead. `stays off`: it is not started there. */
    async evacuate(server: Server, to: WhereTo, staysOff: boolean, actor: Actor): Promise<void> {
      if (to.host !== '' && !(await computeHosts.find(to.host)))
        throw new Problem('not-found', `Compute host ${to.host} not found.`)
      if (to.host !== '' && to.host === server.host) throw bad("The target host can't be the same one.")
      const ask: Begin = {
        ...{ type: 'evacuation', name: 'evacuate', action: 'evacuate', event: 'compute_rebuild_instance' },
        ...{ from: ['active', 'stopped', 'error'], over: 'any', task: 'rebuilding', to, newFlavor: server.flavor },
      }
      refuseBusy(server, ask)
      if (await isUp(server.host)) throw bad(`Compute service of ${server.host} is still in use.`)
      await begin(server, staysOff ? { ...ask, power: 'off' } : ask, actor)
    },
    /** Throws not-found, invalid or conflict. `early`: also one that has not begun to send. */
    async abort(server: Server, number: string, early: boolean, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      refuseTask(server, 'abort live migration')
      const allowed = early ? ['running', 'preparing'] : ['running']
      const migration = await running(server, number, 'abort live migration', allowed)
      await steer(server, migration, { cancelled: 1 }, 'live_migration_cancel', actor)
    },
    async forceComplete(server: Server, number: string, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      refuseState(server, 'force_complete', ['active'], ['migrating'])
      refuseTask(server, 'force_complete')
      const migration = await running(server, number, 'force complete', ['running'])
      await steer(server, migration, { forced: 1 }, 'live_migration_force_complete', actor)
    },
    /** Live migrations of the server that are under way. */
    async inProgress(serverId: string): Promise<Migration[]> {
      const found = await migrations.ofServer(serverId)
      return found.filter((one) => one.type === 'live-migration' && inProgress.includes(one.status))
    },
    find: async (serverId: string, number: string): Promise<Migration | undefined> =>
      (await migrations.ofServer(serverId)).find((one) => String(one.number) === number),
    list: migrations.list,
  }

  /** Throws invalid for what would otherwise show on the way. */
  async function refuseUnfit(server: Server, to: WhereTo, error: string | undefined): Promise<void> {
    if (error !== undefined) throw bad(error)
    if (!(await isUp(server.host))) throw bad(`Compute service of ${server.host} is unavailable at this time.`)
    const placed = {
      pinnedZone: server.pinnedZone,
      forcedHost: to.host,
      refusedHosts: [],
      from: server.host,
      unfiltered: to.unfiltered,
    }
    if ((await choose(server, server.flavor, placed)).hosts.length === 0)
      throw bad('No valid host was found. There are not enough hosts available.')
  }

  async function knownHost(name: string): Promise<void> {
    if (name !== '' && !(await computeHosts.find(name))) throw bad(`Compute host ${name} could not be found.`)
  }
}

const notShared = ({ host }: Server): string =>
  `${host} is not on shared storage: Shared storage live-migration requires either shared storage or boot-from-volume with no local disks.`

function refuseTask(server: Server, name: string): void {
  if (server.taskState === 'migrating') return
  throw new Problem(
    'conflict',
    `Cannot '${name}' instance ${server.id} while it is in task_state ${server.taskState === '' ? 'None' : server.taskState}`,
  )
}

/** Throws invalid when the server cannot be of this size. A disk that is too small is found out on the way, as in nova. */
function checkFlavor(server: Server, flavor: FlavorSnapshot): void {
  if (flavor.rootGb === 0 && server.flavor.rootGb !== 0)
    throw bad('Server disk was unable to be resized because: Resize to zero disk flavor is not allowed.')
  if (flavor.id === server.flavor.id) throw bad('When resizing, instances must change flavor!')
  const [disk, image] = [flavor.rootGb * GiB, server.image.virtualSizeBytes]
  if (disk > 0 && image > disk)
    throw bad(`Flavor's disk is too small for requested image. Flavor disk is ${disk} bytes, image is ${image} bytes.`)
}
