import { toJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import { go, sleep } from '../../../kit/work/machine.ts'
import { type Server, unseen } from '../domain/server.ts'
import { powerState, restingState } from '../domain/states.ts'
import { glance, type ServerWorld, type Standing, task, wiringMicros } from './standing.ts'
import { isFinal, type Next, type Step, type Way } from './way.ts'

/** A server of a dead host: made anew from its image elsewhere. */
export function evacuationSteps(world: ServerWorld, standing: Standing, way: Way): Record<'evacuate' | 'rebuild', Step> {
  const { db, clock, servers, migrations, computeHosts, network, placement } = world
  const { portsOf } = standing
  const { hint, change, untilDone, end, choose, isWiredAt, isWithoutLost, owner } = way

  const giveUp = async (server: Server, { message: why, detail }: Problem): Promise<Next> => {
    await migrations.save(server.moveId, { error: why })
    await end(server, 'error', {}, why)
    return go('active', { reason: why, detail })
  }

  const orGiveUp =
    (step: Step): Step =>
    async (server) => {
      try {
        return await step(server)
      } catch (error) {
        if (!isFinal(error)) throw error
        return giveUp(server, error)
      }
    }

  return {
    evacuate: orGiveUp(async (server) => {
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
    }),

    rebuild: untilDone(async (server) => {
      if (server.moveId === '') return go('active')
      if (!server.assigned) {
        await network().bind({ owner: server.id, host: server.host, availabilityZone: server.zone })
        const power = (await migrations.find(server.moveId))?.power === 'off' ? 'off' : 'on'
        await change(server, { ...servers.next(server), power, assigned: 1, task_state: task('rebuild_spawning') })
        hint(server.host)
        return sleep(glance)
      }
      if (await isWithoutLost(server)) return sleep(glance)
      const verdict = way.verdict(server)
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
    }),
  }
}
