import type { Power } from '../../../agents/document.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ComputeTables } from '../tables.ts'
import type { InstanceActions } from './instance-actions.ts'
import type { Server } from './server.ts'
import { type Change, type Servers, serverKind } from './servers.ts'
import type { TaskState, VmState } from './states.ts'

export type PowerVerb = 'start' | 'stop' | 'reboot' | 'reboot-hard' | 'pause' | 'unpause' | 'suspend' | 'resume'

type Rule = {
  /** As the conflict's sentence and the action's record call it. */
  name: string
  from: VmState[]
  /** Tasks that do not stand in its way. */
  over?: TaskState[]
  task: TaskState
  power: Power
  boots?: 'boots' | 'soft_boots'
  event: string
}

const rules: Record<PowerVerb, Rule> = {
  start: { name: 'start', from: ['stopped'], task: 'powering-on', power: 'on', event: 'compute_start_instance' },
  stop: { name: 'stop', from: ['active', 'error'], task: 'powering-off', power: 'off', event: 'compute_stop_instance' },
  reboot: {
    name: 'reboot',
    from: ['active'],
    task: 'rebooting',
    power: 'on',
    boots: 'soft_boots',
    event: 'compute_reboot_instance',
  },
  'reboot-hard': {
    name: 'reboot',
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    over: ['rebooting', 'rebooting_hard', 'resuming', 'unpausing', 'pausing', 'suspending'],
    task: 'rebooting_hard',
    power: 'on',
    boots: 'boots',
    event: 'compute_reboot_instance',
  },
  pause: { name: 'pause', from: ['active'], task: 'pausing', power: 'paused', event: 'compute_pause_instance' },
  unpause: { name: 'unpause', from: ['paused'], task: 'unpausing', power: 'on', event: 'compute_unpause_instance' },
  suspend: { name: 'suspend', from: ['active'], task: 'suspending', power: 'suspended', event: 'compute_suspend_instance' },
  resume: { name: 'resume', from: ['suspended'], task: 'resuming', power: 'on', event: 'compute_resume_instance' },
}

export type Actor = { caller: Caller; isAdmin: boolean }

const conflict = (name: string, id: string, attribute: string, value: string) =>
  new Problem('conflict', `Cannot '${name}' instance ${id} while it is in ${attribute} ${value}`)

/** A locked server obeys admins only. */
export function refuseLocked(server: Server, { isAdmin }: Pick<Actor, 'isAdmin'>): void {
  if (server.locked && !isAdmin) throw new Problem('conflict', `Instance ${server.id} is locked`)
}

/** Throws conflict when the server is in none of these states, or busy with a task that none of `over` names. */
export function refuseState(server: Server, name: string, from: VmState[], over: TaskState[] | 'any' = []): void {
  if (!from.includes(server.vmState)) throw conflict(name, server.id, 'vm_state', server.vmState)
  if (over === 'any' || server.taskState === '' || over.includes(server.taskState)) return
  throw conflict(name, server.id, 'task_state', server.taskState)
}

export type PowerActions = ReturnType<typeof openPowerActions>

/** What users do to a server that is there: each writes what should be, and the host does it. */
export function openPowerActions(db: Db<ComputeTables>, servers: Servers, actions: InstanceActions, work: Work) {
  const record = (tx: Tx<ComputeTables>, server: Server, action: string, { caller }: Actor, event?: string) =>
    actions.record(tx, {
      serverId: server.id,
      action,
      userId: caller.userId,
      projectId: caller.projectId ?? server.projectId,
      host: server.host,
      ...(event ? { event } : {}),
    })
  /** Only when the server is still as it was looked at. */
  const apply = async (tx: Tx<ComputeTables>, server: Server, name: string, set: Change) => {
    const still = { vm_state: server.vmState, task_state: server.taskState, generation: server.generation, deleted: 0 }
    if (!(await servers.change(tx, server.id, set, still)))
      throw new Problem('conflict', `Cannot '${name}' instance ${server.id} while it is changing`)
  }
  return {
    async power(server: Server, verb: PowerVerb, actor: Actor): Promise<void> {
      const rule = rules[verb]
      refuseLocked(server, actor)
      refuseState(server, rule.name, rule.from, rule.over)
      if (!server.assigned || server.moveId !== '') throw new Problem('conflict', `Instance ${server.id} is not ready`)
      await db.transaction(async (tx) => {
        await apply(tx, server, rule.name, {
          ...servers.next(server),
          task_state: rule.task,
          power: rule.power,
          failing: 0,
          seen_error: '',
          ...(rule.boots === 'boots' ? { boots: server.boots + 1 } : {}),
          ...(rule.boots === 'soft_boots' ? { soft_boots: server.softBoots + 1 } : {}),
        })
        await record(tx, server, rule.name, actor, rule.event)
        await servers.tell(tx, server)
      })
    },
    /** Whatever the server is doing. Its machine takes it down. */
    async remove(server: Server, actor: Actor): Promise<void> {
      refuseLocked(server, actor)
      await db.transaction(async (tx) => {
        await servers.change(tx, server.id, { task_state: 'deleting' }, { deleted: 0 })
        if (server.taskState !== 'deleting') await record(tx, server, 'delete', actor, 'compute_terminate_instance')
        await work.teardown(tx as never, serverKind, server.id, 'withdraw')
      })
    },
    async lock(server: Server, reason: string | null, actor: Actor): Promise<void> {
      await db.transaction(async (tx) => {
        const by = actor.caller.projectId === server.projectId ? 'owner' : 'admin'
        await servers.change(tx, server.id, { locked: 1, locked_by: by, locked_reason: reason })
        await record(tx, server, 'lock', actor)
      })
    },
    async unlock(server: Server, actor: Actor): Promise<void> {
      await db.transaction(async (tx) => {
        await servers.change(tx, server.id, { locked: 0, locked_by: '', locked_reason: null })
        await record(tx, server, 'unlock', actor)
      })
    },
    /** An admin says how it is. What is really so shows at the next thing asked of it. */
    async resetState(server: Server, state: 'active' | 'error', actor: Actor): Promise<void> {
      await db.transaction(async (tx) => {
        await servers.change(tx, server.id, { vm_state: state, task_state: '', failing: 0 })
        await work.wake(serverKind, server.id, tx as never)
        await actions.finish(tx, server.id, server.host)
        await record(tx, server, 'resetState', actor)
      })
    },
    record: (server: Server, action: string, actor: Actor, event?: string): Promise<void> =>
      db.transaction((tx) => record(tx, server, action, actor, event)),
  }
}
