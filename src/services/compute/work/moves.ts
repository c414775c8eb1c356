import { second } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import { go, sleep } from '../../../kit/work/machine.ts'
import { endOf, exchange, here, isOver, isProgress, type Mover, percent, there } from '../domain/journey.ts'
import { moveKey } from '../domain/migrations.ts'
import { type MovePlan, unmoved } from '../domain/server.ts'
import type { Change } from '../domain/servers.ts'
import { judge, powerState, restingState } from '../domain/states.ts'
import { evacuationSteps } from './evacuations.ts'
import { resizeSteps } from './resizes.ts'
import { glance, type ServerWorld, type Standing, task } from './standing.ts'
import { type MoveState, openWay, type Step, type Way } from './way.ts'

/** How long the destination may take until it waits for the guest. */
const openingMicros = 300 * second
/** How long the destination may take to hear from the source what we know already. */
const arrivalMicros = 10 * second

/** All steps of a server that goes to another host. */
export function moveSteps(world: ServerWorld, standing: Standing): Record<MoveState, Step> {
  const way = openWay(world, standing)
  return { ...wanderings(world, way), ...resizeSteps(world, standing, way), ...evacuationSteps(world, standing, way) }
}

/** From one host to the other, or back. */
function wanderings(
  world: ServerWorld,
  way: Way,
): Record<'depart' | 'halt' | 'open' | 'send' | 'takeBack' | 'land' | 'vacate', Step> {
  const { db, clock, servers, migrations, computeHosts, network, placement } = world
  const {
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
    claim,
    zoneOf,
    isWiredAt,
    isSurelyHere,
    isCleared,
    commit,
    owner,
  } = way

  return {
    depart: orTakeBack(async (server) => {
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
    }),

    /** A guest that is moved cold is off first. */
    halt: orTakeBack(
      moving(async (server) => {
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
    ),

    /** Everything the guest needs is made where it goes; nothing of it runs there. */
    open: orTakeBack(
      moving(async (server) => {
        const { move } = server
        const migration = await migrations.find(move.id)
        if (migration?.cancelled) return go('takeBack')
        if (move.leaves) return go('send')
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
    ),

    send: untilDone(
      moving(async (server) => {
        const { move } = server
        if (isOver(server)) return go('land')
        const migration = await migrations.find(move.id)
        const seen = here(server)
        if (migration && seen && isProgress(migration.progress, seen)) {
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
    ),

    /** Until the source is sure to run it, nothing at the destination is touched: it may be there already. */
    takeBack: untilDone(async (server) => {
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
    }),

    /** The guest is the destination's from the moment the source has left, whatever either of them does. */
    land: untilDone(
      moving(async (server) => {
        const { move } = server
        if (server.host !== move.to) {
          const zone = await zoneOf(move.to)
          await commit(server, async (tx) => {
            await migrations.change(tx, move.id, { status: 'post-migrating' })
            return {
              ...exchange(server, move.to, clock.now()),
              ...arrival(server, zone),
              move: toJson({ ...move, landedAt: clock.now() }),
            }
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
    ),

    /** Nothing is left where it was. */
    vacate: untilDone(
      moving(async (server) => {
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
    ),
  }
}

/** What it is from the moment it has landed. */
function arrival({ move }: Mover, zone: string): Change {
  const common = { zone, assigned: 1, move_there: 1, move_withdrawn_at: 0, withdrawn_at: 0 }
  if (move.kind === 'live') return common
  const to = move.flavors?.to
  return { ...common, task_state: task('resize_migrated'), ...(to ? { flavor: toJson(to), flavor_id: to.id } : {}) }
}
