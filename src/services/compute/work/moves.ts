import type { MoveSeen, VmSeen } from '../../../agents/document.ts'
import { second } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import type { Tx } from '../../../kit/db/open.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import { go, type Outcome, rest, sleep } from '../../../kit/work/machine.ts'
import { sight } from '../domain/documents.ts'
import { followPorts } from '../domain/interfaces.ts'
import { type Migration, type MigrationStatus, moveKey } from '../domain/migrations.ts'
import { resourcesOf } from '../domain/scheduling.ts'
import { type MovePlan, type Server, unmoved, unseen } from '../domain/server.ts'
import type { Change } from '../domain/servers.ts'
import { judge, powerState, restingState } from '../domain/states.ts'
import type { ComputeTables } from '../tables.ts'
import { glance, type ServerWorld, type Standing, task, wiringMicros } from './standing.ts'

/** The way to another host; all but the last two are left behind by the guest or by its failure to go. */
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

type Next = Outcome<MoveState | 'active'>
type Step = (server: Server) => Promise<Next>
/** A server that is between two hosts. */
type Mover = Server & { move: MovePlan }

/** How long the destination may take until it waits for the guest. */
const openingMicros = 300 * second
/** How long the destination may take to hear from the source what we know already. */
const arrivalMicros = 10 * second

/** A migration is `active` in these columns of its server. */
export function moveSteps(world: ServerWorld, standing: Standing): Record<MoveState, Step> {
  const { db, clock, hosts, servers, actions, migrations, computeHosts, network, placement } = world
  const { portsOf, isGoneFromOther } = standing

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
    const choice = await standing.choose(server, newFlavor, { pinnedZone, forcedHost, refusedHosts: [], from, unfiltered })
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
  const zoneOf = async (host: string) => (await world.aggregates.zones()).get(host) ?? 'nova'

  /** Of the two sides of the move. */
  const here = ({ move, moveSeen }: Mover): MoveSeen | undefined => (moveSeen?.id === move.id ? moveSeen : undefined)
  const there = ({ move, otherSeen }: Mover): MoveSeen | undefined =>
    otherSeen?.move?.id === move.id ? otherSeen.move : undefined
  /** The guest is where it goes, or nowhere else at least. */
  const isOver = (server: Mover) => here(server)?.at === 'left' || there(server)?.at === 'arrived'

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

  /** What was said of it by the host it was on, and by the one it is on now, change places. */
  const exchange = (server: Mover, to: string): Change => {
    const { seen, seenHost, moveSeen, otherSeen, id } = server
    const { power, error, ...counters } = seen
    const last: VmSeen | undefined =
      seenHost === '' || power === ''
        ? undefined
        : { id, ...counters, power, pid: 0, error: error === '' ? undefined : error, ...(moveSeen ? { move: moveSeen } : {}) }
    return {
      ...(otherSeen ? { ...sight(to, otherSeen), seen_at: clock.now() } : unseen),
      other_seen: last ? toJson(last) : '',
      host: to,
      move_host: server.host,
    }
  }

  const commit = (server: Mover, set: (tx: Tx<ComputeTables>) => Promise<Change>) =>
    db.transaction(async (tx) => {
      const columns = { ...servers.next(server), ...(await set(tx)) }
      await servers.change(tx, server.id, columns, { deleted: 0, host: server.host })
    })

  const steps: Record<MoveState, Step> = {
    async depart(server) {
      const migration = await migrations.find(server.moveId)
      if (!migration) {
        await change(server, { ...unmoved, task_state: task('') })
        return go('active')
      }
      if (migration.type === 'evacuation') return go('evacuate')
      const kind = migration.type === 'live-migration' ? 'live' : 'cold'
      const first = kind === 'live' ? 'open' : 'halt'
      if (server.move) return go(first)
      if (migration.cancelled || migration.error !== '') return go('takeBack')
      if (!(await isUp(server.host))) return back(server, `Compute service of ${server.host} is unavailable at this time.`)
      const { host, refused } = await claim(server, migration)
      const move: MovePlan = {
        ...{ id: migration.uuid, kind, key: moveKey(), from: server.host, to: host.name, since: clock.now() },
        ...{ arrives: false, leaves: false, forced: false, destination: undefined, landedAt: 0, returns: false },
        flavors: migration.type === 'resize' ? { from: migration.oldFlavor, to: migration.newFlavor } : undefined,
      }
      await db.transaction(async (tx) => {
        const status = kind === 'live' ? 'preparing' : 'pre-migrating'
        await migrations.change(tx, migration.uuid, { dest_host: host.name, dest_address: host.facts.address, status })
        await servers.change(tx, server.id, { move: toJson(move), move_host: host.name, move_there: 0 }, { deleted: 0 })
      })
      return go(first, { reason: `${host.name} is chosen`, detail: refused })
    },

    /** A guest that is moved cold is off first. */
    halt: moving(async (server) => {
      if (server.power !== 'off') {
        await change(server, { ...servers.next(server), power: 'off', task_state: task('resize_migrating') })
        await tell(server, 'migrating')
        hint(server.host)
        return sleep(glance)
      }
      if (server.seenHost === server.host) {
        const verdict = judge(server, server.seen)
        if (verdict.is === 'there') return go('open')
        if (verdict.is === 'failing') return back(server, verdict.why)
      }
      return (await isUp(server.host)) ? sleep(glance) : back(server, `Host ${server.host} is down.`)
    }),

    /** Everything the guest needs is made where it goes; nothing of it runs there. */
    open: moving(async (server) => {
      const { move } = server
      const migration = await migrations.find(move.id)
      if (migration?.cancelled) return go('takeBack')
      if (!move.arrives) {
        await network().openAt({ owner: server.id, host: move.to })
        await plan(server, { arrives: true }, { move_there: 1, move_withdrawn_at: 0 })
        hint(move.to)
        return sleep(glance)
      }
      const seen = there(server)
      if (seen?.at === 'failed') return back(server, seen.error ?? `Host ${move.to} cannot take it.`)
      for (const name of [move.from, move.to]) if (!(await isUp(name))) return back(server, `Host ${name} is down.`)
      if (seen?.at === 'open' && (await isWiredAt(server, move.to))) {
        const { memoryPort, diskPort } = seen
        const address = (await computeHosts.find(move.to))!.facts.address
        await plan(server, { leaves: true, destination: { address, memoryPort, diskPort } })
        await tell(server, move.kind === 'live' ? 'running' : 'migrating')
        hint(move.from)
        return go('send')
      }
      const why = server.otherSeen?.error ?? `Host ${move.to} does not make ready for it.`
      return clock.now() - move.since < openingMicros ? sleep(glance) : back(server, why)
    }),

    send: moving(async (server) => {
      const { move } = server
      if (isOver(server)) return go('land')
      const migration = await migrations.find(move.id)
      const seen = here(server)
      if (migration && seen && differs(migration.progress, seen)) {
        await migrations.progress(move.id, seen)
        await change(server, { progress: percent(seen) })
      }
      if (migration?.cancelled) return go('takeBack')
      if (seen?.at === 'failed') return back(server, seen.error ?? 'The host could not send it.')
      if (there(server)?.at === 'failed') return back(server, there(server)?.error ?? `Host ${move.to} could not take it.`)
      if (!(await isUp(move.to))) return back(server, `Host ${move.to} is down.`)
      if (migration?.forced && !move.forced) {
        await plan(server, { forced: true })
        hint(move.from)
      }
      return sleep(glance)
    }),

    /** Until the source is sure to run it, nothing at the destination is touched: it may be there already. */
    async takeBack(server) {
      if (server.moveId === '') return go('active')
      const migration = await migrations.find(server.moveId)
      const { move } = server
      if (move) {
        const mover = server as Mover
        if (isOver(mover)) return go('land')
        if (move.leaves) {
          await plan(mover, { leaves: false })
          hint(server.host)
          return sleep(glance, { reason: 'taken back' })
        }
        if (!(await isSurelyHere(mover))) {
          hint(server.host)
          return sleep(glance)
        }
        if (!(await isCleared(server))) return sleep(glance)
        await network().openAt({ owner: server.id, host: undefined })
      }
      await placement().takeBack({ consumer: server.id, aside: server.moveId, ...owner(server) })
      const power = migration && server.power !== migration.power ? { power: migration.power } : {}
      const why = migration?.cancelled ? 'The migration was cancelled.' : migration?.error || 'The migration failed.'
      await end(server, endOf(migration), { ...servers.next(server), ...power }, why)
      hint(server.host)
      return go('active', { reason: why })
    },

    /** The guest is the destination's from the moment the source has left, whatever either of them does. */
    land: moving(async (server) => {
      const { move } = server
      if (server.host !== move.to) {
        const zone = await zoneOf(move.to)
        await commit(server, async (tx) => {
          await migrations.change(tx, move.id, { status: 'post-migrating' })
          return { ...exchange(server, move.to), ...arrival(server, zone), move: toJson({ ...move, landedAt: clock.now() }) }
        })
        hint(move.to, move.from)
        return go('land')
      }
      await network().bind({ owner: server.id, host: move.to, availabilityZone: server.zone })
      const seen = here(server)
      const isHere =
        seen?.at === 'arrived' || (!move.arrives && server.seenHost === move.to && judge(server, server.seen).is === 'there')
      const isLate = seen?.at === 'failed' || clock.now() - move.landedAt >= arrivalMicros
      const isDown = !(await isUp(move.to))
      if (move.arrives && (isHere || isLate || isDown)) {
        await plan(server, { arrives: false })
        hint(move.to)
        return go('land')
      }
      if (isHere || isDown) return go(move.kind === 'live' ? 'vacate' : 'finish')
      return sleep(arrivalMicros / second)
    }),

    /** Nothing is left where it was. */
    vacate: moving(async (server) => {
      const migration = await migrations.find(server.moveId)
      if (!(await isCleared(server))) return sleep(glance)
      await placement().release({ consumer: server.moveId })
      const status = server.move.kind === 'live' ? 'completed' : 'confirmed'
      const isError = server.vmState === 'error' && migration?.status !== 'confirming'
      const set = isError ? {} : { vm_state: restingState[server.power], power_state: powerState(server.seen.power) }
      await end(server, status, { ...servers.next(server), ...set })
      hint(server.host)
      return go('active')
    }),

    /** Moved cold, it is started as it was. */
    finish: moving(async (server) => {
      const migration = (await migrations.find(server.moveId))!
      if (server.vmState === 'resized') return go('resized')
      if (server.taskState !== 'resize_finish' || server.power !== migration.power) {
        await change(server, { ...servers.next(server), power: migration.power, task_state: task('resize_finish') })
        hint(server.host)
        return sleep(glance)
      }
      if (await isWithoutLost(server)) return sleep(glance)
      const verdict = server.seenHost === server.host ? judge(server, server.seen) : ({ is: 'on its way' } as const)
      if (verdict.is === 'failing') return undo(server, verdict.why)
      if (verdict.is === 'on its way') return sleep(glance)
      if (server.power !== 'off' && !(await isWiredAt(server, server.host))) {
        if (clock.now() - server.seenAt < wiringMicros) return sleep(glance)
        return undo(server, `No traffic flows at its ports on ${server.host}.`)
      }
      const ports = await portsOf(server)
      await db.transaction(async (tx) => {
        const at = clock.now()
        const power_state = powerState(server.seen.power)
        const set = {
          vm_state: 'resized',
          task_state: task(''),
          power_state,
          progress: 100,
          launched_at: at,
          ports: toJson(ports),
        }
        await servers.change(tx, server.id, set, { deleted: 0 })
        await migrations.change(tx, migration.uuid, { status: 'finished' })
        await actions.finish(tx, server.id, server.host)
      })
      return go('resized')
    }),

    /** Waits for its owner's word. An admin who says that it is active or broken has spoken too. */
    resized: moving(async (server) => {
      const migration = await migrations.find(server.moveId)
      if (migration?.status === 'reverting') return go('revert')
      if (migration?.status === 'confirming' || server.vmState !== 'resized') return go('vacate')
      if (server.seenHost === server.host && server.powerState !== powerState(server.seen.power))
        await change(server, { power_state: powerState(server.seen.power) })
      return rest()
    }),

    /** What was made where it went is dropped, then what it left behind is its own again. */
    revert: moving(async (server) => {
      const { move } = server
      if (server.host === move.to) {
        const { oldFlavor } = (await migrations.find(move.id))!
        const zone = await zoneOf(move.from)
        await commit(server, async () => ({
          ...exchange(server, move.from),
          ...{ zone, power: 'off', flavor: toJson(oldFlavor), flavor_id: oldFlavor.id },
          ...{ move_there: 0, move_withdrawn_at: clock.now() },
          move: toJson({ ...move, arrives: false, leaves: false }),
        }))
        hint(move.to, move.from)
        return go('revert')
      }
      if (!(await isCleared(server))) return sleep(glance)
      await network().bind({ owner: server.id, host: move.from, availabilityZone: server.zone })
      await placement().takeBack({ consumer: server.id, aside: move.id, ...owner(server) })
      const { power } = (await migrations.find(move.id))!
      await plan(server, { returns: true }, { power })
      hint(move.from)
      return go('comeHome')
    }),

    comeHome: moving(async (server) => {
      if (await isWithoutLost(server)) return sleep(glance)
      const verdict = server.seenHost === server.host ? judge(server, server.seen) : ({ is: 'on its way' } as const)
      if (verdict.is === 'on its way') return sleep(glance)
      const { error } = (await migrations.find(server.moveId))!
      const isUndone = error !== ''
      const set = {
        vm_state: restingState[server.power],
        power_state: powerState(server.seen.power),
        ports: toJson(await portsOf(server)),
      }
      await end(server, isUndone ? 'error' : 'reverted', { ...servers.next(server), ...set }, isUndone ? error : undefined)
      hint(server.host)
      return go('active')
    }),

    async evacuate(server) {
      const migration = await migrations.find(server.moveId)
      if (!migration) return go('depart')
      if (server.host !== migration.sourceHost) return go('rebuild')
      const { hosts: chosen, refused, resources } = await choose(server, migration)
      for (const { name, provider, zone } of chosen) {
        if (!(await placement().claim({ consumer: server.id, provider, resources, ...owner(server) }))) continue
        const address = (await computeHosts.find(name))?.facts.address ?? ''
        await db.transaction(async (tx) => {
          await migrations.change(tx, migration.uuid, { dest_host: name, dest_address: address, status: 'pre-migrating' })
          const set = { ...unseen, host: name, zone, assigned: 0, withdrawn_at: 0, failing: 0, power_state: 0 }
          await servers.change(tx, server.id, set, { deleted: 0 })
        })
        return go('rebuild', { reason: `${name} is chosen`, detail: refused })
      }
      throw new Problem('no-capacity', 'No valid host was found. There are not enough hosts available.', { detail: refused })
    },

    async rebuild(server) {
      if (server.moveId === '') return go('active')
      if (!server.assigned) {
        await network().bind({ owner: server.id, host: server.host, availabilityZone: server.zone })
        const power = (await migrations.find(server.moveId))?.power === 'off' ? 'off' : 'on'
        await change(server, { ...servers.next(server), power, assigned: 1, task_state: task('rebuild_spawning') })
        hint(server.host)
        return sleep(glance)
      }
      if (await isWithoutLost(server)) return sleep(glance)
      const verdict = server.seenHost === server.host ? judge(server, server.seen) : ({ is: 'on its way' } as const)
      if (verdict.is === 'failing') {
        const fault = standing.faultOf(`${server.host} could not make it anew.`, verdict.why)
        await end(server, 'error', { vm_state: 'error', fault: toJson(fault), failing: 1 }, fault.message)
        return go('active', { reason: verdict.why })
      }
      if (verdict.is === 'on its way') return sleep(glance)
      if (server.power !== 'off' && !(await isWiredAt(server, server.host)) && clock.now() - server.seenAt < wiringMicros)
        return sleep(glance)
      const set = { vm_state: restingState[server.power], power_state: powerState(server.seen.power), fault: '', failing: 0 }
      await end(server, 'done', { ...set, launched_at: clock.now(), ports: toJson(await portsOf(server)) })
      return go('active')
    },
  }

  /** It cannot be started there: it goes back to where it was. */
  const undo = async (server: Server, why: string): Promise<Next> => {
    await migrations.save(server.moveId, { error: why })
    return go('revert', { reason: why })
  }

  /** What it is from the moment it has landed. */
  function arrival({ move }: Mover, zone: string): Change {
    const common = { zone, assigned: 1, move_there: 1, move_withdrawn_at: 0, withdrawn_at: 0 }
    if (move.kind === 'live') return common
    const to = move.flavors?.to
    return { ...common, task_state: task('resize_migrated'), ...(to ? { flavor: toJson(to), flavor_id: to.id } : {}) }
  }

  const giveUp = async (server: Server, { message: why, detail }: Problem): Promise<Next> => {
    await migrations.save(server.moveId, { error: why })
    await end(server, 'error', {}, why)
    return go('active', { reason: why, detail })
  }
  const evacuate: Step = async (server) => {
    try {
      return await steps.evacuate(server)
    } catch (error) {
      if (!isFinal(error)) throw error
      return giveUp(server, error)
    }
  }

  return {
    ...Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, untilDone(step)])),
    depart: orTakeBack(steps.depart),
    halt: orTakeBack(steps.halt),
    open: orTakeBack(steps.open),
    evacuate,
  } as Record<MoveState, Step>
}

/** No retry cures it. */
const isFinal = (error: unknown): error is Problem =>
  isProblem(error) && error.kind !== 'unavailable' && error.kind !== 'internal'

/** What a migration that did not come to its end is called. */
function endOf(migration: Migration | undefined): MigrationStatus {
  if (migration?.cancelled) return 'cancelled'
  return migration?.status === 'running' ? 'failed' : 'error'
}

const differs = (known: Migration['progress'], seen: MoveSeen): boolean =>
  (['memory', 'disk'] as const).some((what) =>
    (['total', 'sent', 'left'] as const).some((bytes) => known[what][bytes] !== seen[what][bytes]),
  )

function percent({ memory, disk }: MoveSeen): number {
  const total = memory.total + disk.total
  return total === 0 ? 0 : Math.min(99, Math.floor((100 * (total - memory.left - disk.left)) / total))
}
