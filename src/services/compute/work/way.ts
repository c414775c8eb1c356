import { toJson } from '../../../kit/db/columns.ts'
import type { Tx } from '../../../kit/db/open.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import { go, type Outcome } from '../../../kit/work/machine.ts'
import { defaultZone } from '../domain/aggregates.ts'
import { followPorts } from '../domain/interfaces.ts'
import { here, type Mover } from '../domain/journey.ts'
import type { Migration, MigrationStatus } from '../domain/migrations.ts'
import { resourcesOf } from '../domain/scheduling.ts'
import { type MovePlan, type Server, unmoved } from '../domain/server.ts'
import type { Change } from '../domain/servers.ts'
import { judge, type Verdict } from '../domain/states.ts'
import type { ComputeTables } from '../tables.ts'
import { type ServerWorld, type Standing, task } from './standing.ts'

/** The way to another host. */
export type MoveState =
  | 'depart'
  | 'halt'
  | 'open'
  | 'send'
  | 'takeBack'
  | 'land'
  | 'vacate'
  | 'finish'
  | 'resized'
  | 'revert'
  | 'comeHome'
  | 'evacuate'
  | 'rebuild'

export type Next = Outcome<MoveState | 'active'>
export type Step = (server: Server) => Promise<Next>
export type Way = ReturnType<typeof openWay>

/** What all steps of a server on its way to another host do. */
export function openWay(world: ServerWorld, { choose: chooseHosts, portsOf, isGoneFromOther }: Standing) {
  const { db, clock, hosts, servers, actions, migrations, computeHosts, network, placement } = world

  const hint = (...names: string[]) => {
    for (const name of names) hosts.hint(name, 'vm')
  }
  const change = (server: Server, set: Change) => servers.save(server.id, set, { deleted: 0 })
  /** Tells the hosts more of the way. */
  const plan = (server: Mover, more: Partial<MovePlan>, set: Change = {}) =>
    change(server, { ...servers.next(server), ...set, move: toJson({ ...server.move, ...more }) })

  const isUp = async (name: string) => (await computeHosts.find(name))?.up === true
  const owner = ({ projectId, userId }: Server) => ({ projectId, userId })

  /** Takes a step of a server that is on its way; one that is not rests. */
  const moving =
    (step: (server: Mover) => Promise<Next>): Step =>
    async (server) =>
      server.move ? step(server as Mover) : go('active')

  /** What no retry cures takes the guest back, not the whole server down. */
  const orTakeBack =
    (step: Step): Step =>
    async (server) => {
      try {
        return await step(server)
      } catch (error) {
        if (!isFinal(error)) throw error
        return back(server, error.message, error.detail)
      }
    }
  /** From where there is no way back: it is tried until it is done. */
  const untilDone =
    (step: Step): Step =>
    async (server) => {
      try {
        return await step(server)
      } catch (error) {
        if (!isProblem(error)) throw error
        throw new Problem('unavailable', error.message, { cause: error })
      }
    }

  const back = async (server: Server, why: string, detail?: unknown): Promise<Next> => {
    const migration = await migrations.find(server.moveId)
    if (migration && migration.error === '' && !migration.cancelled) await migrations.save(server.moveId, { error: why })
    return go('takeBack', { reason: why, detail })
  }

  /** The move is over, however it ended: the server is as any other again. */
  const end = (server: Server, status: MigrationStatus, set: Change, failure?: string) =>
    db.transaction(async (tx) => {
      const { flavor } = server
      const size = { vcpus: flavor.vcpus, memory_mb: flavor.memoryMb, root_gb: flavor.rootGb }
      const still = { deleted: 0, host: server.host }
      const done = await servers.change(
        tx,
        server.id,
        { ...unmoved, ...size, task_state: task(''), progress: 100, ...set },
        still,
      )
      if (!done) return
      if (server.moveId !== '') await migrations.change(tx, server.moveId, { status })
      await actions.finish(tx, server.id, server.host, failure)
    })

  /** The words for a migration of this kind that goes well. */
  const tell = (server: Server, status: MigrationStatus) => migrations.save(server.moveId, { status })

  const choose = async (server: Server, migration: Migration) => {
    const { askedHost: forcedHost, unfiltered, newFlavor, sourceHost: from } = migration
    if (newFlavor.rootGb < server.flavor.rootGb) throw new Problem('invalid', 'Resize error: Unable to resize disk down.')
    const { pinnedZone } = server
    const choice = await chooseHosts(server, newFlavor, { pinnedZone, forcedHost, refusedHosts: [], from, unfiltered })
    return { ...choice, resources: resourcesOf(newFlavor) }
  }

  /** Room on the first host that has it. What was claimed before a crash is found again. Throws no-capacity. */
  const claim = async (server: Server, migration: Migration) => {
    const { uuid: aside } = migration
    const known = await computeHosts.list()
    if ((await placement().allocationsOf({ consumer: aside })).length > 0) {
      const [held] = await placement().allocationsOf({ consumer: server.id })
      const host = known.find((one) => one.nodeId === held?.provider)
      if (host?.up) return { host, zone: await zoneOf(host.name), refused: {} }
    }
    const { hosts: chosen, refused, resources } = await choose(server, migration)
    for (const { name, provider, zone } of chosen) {
      const host = known.find((one) => one.name === name)
      const ask = { consumer: server.id, aside, provider, resources, ...owner(server) }
      if (host && (await placement().claimAside(ask))) return { host, zone, refused }
      refused[name] = 'placement: its room went to somebody else meanwhile'
    }
    throw new Problem('no-capacity', 'No valid host was found. There are not enough hosts available.', { detail: refused })
  }
  const zoneOf = async (host: string) => (await world.aggregates.zones()).get(host) ?? defaultZone

  const isWiredAt = async (server: Server, host: string) =>
    (await portsOf(server)).every((port) => (port.host === host ? port.wired : port.openAt?.host === host && port.openAt.wired))

  /** Somebody deleted a port that the guest would wait for. True: the document is without it now. */
  const isWithoutLost = async (server: Server): Promise<boolean> => {
    const ports = await portsOf(server)
    if (server.ports.every((known) => ports.some((port) => port.id === known.id))) return false
    await followPorts(servers, network, server)
    await change(server, servers.next(server))
    hint(server.host)
    return true
  }

  /** The source does not send, and did not hand over: it says so, or an admin says that it is dead. */
  const isSurelyHere = async (server: Mover): Promise<boolean> => {
    if (!server.move.destination) return true
    const at = here(server)?.at
    if (at === 'failed') return true
    if (server.seenHost === server.host && server.seen.generation >= server.generation && at !== 'going') return true
    const host = await computeHosts.find(server.host)
    return host === undefined || host.forcedDown
  }

  /** Takes it out of the document of the other host, and waits; true: nothing is there any more. */
  const isCleared = async (server: Server): Promise<boolean> => {
    if (server.moveThere) await change(server, { move_there: 0, move_withdrawn_at: clock.now() })
    else if (await isGoneFromOther(server)) return true
    hint(server.moveHost)
    return false
  }

  const commit = (server: Mover, set: (tx: Tx<ComputeTables>) => Promise<Change>) =>
    db.transaction(async (tx) => {
      const columns = { ...servers.next(server), ...(await set(tx)) }
      await servers.change(tx, server.id, columns, { deleted: 0, host: server.host })
    })

  return {
    hint,
    change,
    plan,
    tell,
    isUp,
    moving,
    orTakeBack,
    untilDone,
    back,
    end,
    choose,
    claim,
    zoneOf,
    isWiredAt,
    isSurelyHere,
    isCleared,
    isWithoutLost,
    commit,
    owner,
    /** How it stands where it is. */
    verdict: (server: Server): Verdict => (server.seenHost === server.host ? judge(server, server.seen) : { is: 'on its way' }),
  }
}

/** No retry cures it. */
export const isFinal = (error: unknown): error is Problem =>
  isProblem(error) && error.kind !== 'unavailable' && error.kind !== 'internal'
