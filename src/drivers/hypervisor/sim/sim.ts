import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Guest, GuestSeen, GuestState, Hypervisor } from '../driver.ts'
import type { SimGuest, SimHost } from './host.ts'
import { cancel, forget, moveSeen, receive, regain, send, take } from './moves.ts'

const runs = (guest: SimGuest) => guest.state === 'on' || guest.state === 'paused'

const seen = ({ guest, state, pid, applied, pressedAt, move }: SimGuest): GuestSeen => ({
  id: guest.id,
  state,
  pid,
  applied: { ...applied },
  pressedAt,
  ...(move && { move: moveSeen(move) }),
})

/** What is another host's cannot be changed here. */
const elsewhere = (guest: SimGuest) => guest.state === 'arriving' || guest.state === 'left'

export type SimOptions = { host: SimHost; clock: Clock }

/** The hypervisor of simulated clouds: everything a real one does, in memory and at once unless faults say otherwise. */
export function openSim({ host, clock }: SimOptions): Hypervisor {
  const mine = new Set<(id: string) => void>()
  const pause = async () => {
    if (host.faults.delayMs) await delay(host.faults.delayMs)
  }
  const get = (id: string): SimGuest => {
    const guest = host.guests.get(id)
    if (!guest) throw new Problem('not-found', 'The guest is not on this host.')
    return guest
  }
  const own = (id: string): SimGuest => {
    const guest = get(id)
    if (elsewhere(guest)) throw new Problem('conflict', 'The guest is on another host.')
    return guest
  }
  const running = (id: string): SimGuest => {
    const guest = get(id)
    if (!runs(guest)) throw new Problem('conflict', 'The guest is not running.')
    return guest
  }
  const end = (guest: SimGuest, state: GuestState) => Object.assign(guest, { state, pid: 0, pressedAt: undefined })
  const begin = (entry: SimGuest, guest: Guest, state: GuestState) =>
    Object.assign(entry, { guest, state, pid: host.nextPid++, pressedAt: undefined })

  return {
    async list() {
      return [...host.guests.values()].map(seen)
    },
    async look(id) {
      const guest = host.guests.get(id)
      return guest && seen(guest)
    },
    async prepare(guest) {
      await pause()
      const { prepareFails, missingDevice } = host.faults
      if (prepareFails !== undefined) throw new Problem('invalid', prepareFails)
      const old = host.guests.get(guest.id)
      if (old && runs(old)) throw new Problem('conflict', 'The guest is running.')
      if (old) own(guest.id)
      const applied = { generation: 0, boots: 0, softBoots: 0 }
      host.guests.set(
        guest.id,
        old ? { ...old, guest } : { guest, state: 'off', pid: 0, applied, pressedAt: undefined, console: '' },
      )
      if (guest.nics.some((nic) => nic.device === missingDevice)) return { ready: false, waitFor: `${missingDevice}` }
      return { ready: true }
    },
    async start(guest, { boots, softBoots }, as) {
      await pause()
      const entry = own(guest.id)
      if (runs(entry)) return
      entry.applied = { ...entry.applied, boots, softBoots }
      if (host.faults.bootFails !== undefined) {
        end(entry, 'crashed')
        throw new Problem('internal', host.faults.bootFails)
      }
      begin(entry, guest, as === 'running' ? 'on' : 'paused')
      entry.console += `sim: boot ${boots} of ${guest.name}\nREADY\n`
    },
    async restore(guest, as) {
      await pause()
      const entry = get(guest.id)
      if (entry.state !== 'suspended') throw new Problem('conflict', 'The guest is not suspended.')
      begin(entry, guest, as === 'running' ? 'on' : 'paused')
    },
    async press(id) {
      await pause()
      const guest = running(id)
      guest.pressedAt = clock.now()
      if (host.faults.deafToPowerButton || guest.state === 'paused') return
      guest.state = 'ended'
      guest.console += 'sim: power button\n'
    },
    async stop(id) {
      await pause()
      end(own(id), 'off')
    },
    async reset(id) {
      await pause()
      const guest = running(id)
      guest.console += 'sim: reset\nREADY\n'
    },
    async pause(id) {
      await pause()
      running(id).state = 'paused'
    },
    async resume(id) {
      await pause()
      running(id).state = 'on'
    },
    async suspend(id) {
      await pause()
      end(running(id), 'suspended')
    },
    async remove(id) {
      await pause()
      const guest = host.guests.get(id)
      if (guest) forget(host, guest)
      host.guests.delete(id)
    },
    async receive(guest, counters, move, as) {
      await pause()
      const { prepareFails, missingDevice } = host.faults
      if (prepareFails !== undefined) throw new Problem('invalid', prepareFails)
      if (guest.nics.some((nic) => nic.device === missingDevice)) return { ready: false, waitFor: `${missingDevice}` }
      receive(host, guest, { generation: 0, ...counters }, move, as)
      return { ready: true }
    },
    async take(id) {
      await pause()
      take(host, get(id))
    },
    async send(id, departure) {
      await pause()
      send(host, get(id), departure)
    },
    async cancel(id) {
      await pause()
      cancel(get(id))
    },
    async regain(id) {
      await pause()
      regain(get(id))
    },
    async record(id, counters) {
      Object.assign(get(id), { applied: { ...counters }, pressedAt: undefined })
    },
    async consoleLog(id, bytes) {
      const text = host.guests.get(id)?.console ?? ''
      return Buffer.from(text).subarray(-bytes).toString()
    },
    async vnc() {
      return undefined
    },
    async inventory() {
      return { vms: [...host.guests.values()].map(({ guest, pid }) => ({ id: guest.id, pid })), files: [], problems: [] }
    },
    async tidy() {},
    watch(changed) {
      mine.add(changed)
      host.watchers.add(changed)
      return () => {
        mine.delete(changed)
        host.watchers.delete(changed)
      }
    },
    async close() {
      for (const watcher of mine) host.watchers.delete(watcher)
    },
  }
}
