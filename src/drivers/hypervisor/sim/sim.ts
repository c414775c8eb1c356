import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Micros } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Counters, Guest, GuestSeen, GuestState, Hypervisor } from '../driver.ts'

/** Faults on request: what a real host does on a bad day. All may be changed while it runs. */
export type SimFaults = {
  /** Text for the user: every boot fails with it. */
  bootFails?: string
  /** Text for the user: disks cannot be made. */
  prepareFails?: string
  /** The named device never appears. */
  missingDevice?: string
  /** Guests do not answer the power button. */
  deafToPowerButton?: boolean
  /** Each change of a guest takes so long. Default 0: at once. */
  delayMs?: number
}

export type SimGuest = {
  guest: Guest
  state: GuestState
  pid: number
  applied: Counters
  pressedAt: Micros | undefined
  console: string
}

/** A host made of memory. It outlives the drivers opened on it, as a real host outlives its agent. */
export type SimHost = {
  guests: Map<string, SimGuest>
  faults: SimFaults
  nextPid: number
  watchers: Set<(id: string) => void>
}

export const simHost = (faults: SimFaults = {}): SimHost => ({ guests: new Map(), faults, nextPid: 1000, watchers: new Set() })

/** What a guest does by itself: powers off, or dies. Those who watch are told. */
export function simEvent(host: SimHost, id: string, happened: 'powers itself off' | 'dies'): void {
  const guest = host.guests.get(id)
  if (!guest || (guest.state !== 'on' && guest.state !== 'paused')) return
  if (happened === 'dies') guest.pid = 0
  guest.state = happened === 'dies' ? 'crashed' : 'ended'
  for (const watcher of host.watchers) watcher(id)
}

const runs = (guest: SimGuest) => guest.state === 'on' || guest.state === 'paused'

const seen = ({ guest, state, pid, applied, pressedAt }: SimGuest): GuestSeen => ({
  id: guest.id,
  state,
  pid,
  applied: { ...applied },
  pressedAt,
})

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
      const entry = get(guest.id)
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
      end(get(id), 'off')
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
      host.guests.delete(id)
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
