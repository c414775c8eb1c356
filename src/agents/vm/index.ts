import type { GuestSeen, Hypervisor, HypervisorInventory } from '../../drivers/hypervisor/driver.ts'
import { type Clock, type Micros, minute, second } from '../../kit/clock.ts'
import { explainError, isProblem } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Desired, Vm, VmSeen } from '../document.ts'
import type { Agent } from '../rounds.ts'
import type { Action } from './action.ts'
import { apply } from './apply.ts'
import { report, reportMissing } from './observe.ts'
import { plan, step } from './plan.ts'
import { openTroubles } from './troubles.ts'

export type VmAgentOptions = {
  driver: Hypervisor
  clock: Clock
  log: Log
  /** How long a round waits for what it began (image download, boot) before it tells what is seen so far. Default 250. */
  patienceMs?: number
}

export type VmAgent = Agent<Vm, VmSeen> & {
  /** The last so many bytes of a guest's serial console. */
  consoleLog(id: string, bytes: number): Promise<string>
  inventory(): Promise<HypervisorInventory>
}

/** More steps than any way from one state to another has: a driver that does not move shows as an error, not as a busy loop. */
const maxSteps = 8
/** After a guest nobody named was paused, the controller has so long to name it. */
const strangerMs = 1000

/** The agent of guests: each guest has at most one task under way, and no guest waits for another. */
export function vmAgent({ driver, clock, log, patienceMs = 250 }: VmAgentOptions): VmAgent {
  const tasks = new Map<string, Promise<void>>()
  /** When to look at a guest again, by the clock. */
  const due = new Map<string, Micros>()
  const strangers = new Set<string>()
  const failures = openTroubles({ clock, firstDelay: 5 * second, forgetAfter: 60 * minute })
  const crashes = openTroubles({ clock, firstDelay: 0, forgetAfter: 10 * minute })
  let changed: (() => void) | undefined

  /** A guest that crashed is started again; one that does it over and over, ever later. Gives the wait. */
  const holdBack = (action: Action, seen: GuestSeen | undefined): Micros => {
    if (action.do !== 'start' || seen?.state !== 'crashed') return 0
    const wait = crashes.waitFor(action.vm.id, action.vm.boots)
    if (wait === 0) crashes.note(action.vm.id, action.vm.boots, 'crashed')
    return wait
  }

  /** Takes one guest as far as it goes now. Gives when to look again. */
  const advance = async (vm: Vm): Promise<Micros | undefined> => {
    for (let n = 0; n < maxSteps; n++) {
      const seen = await driver.look(vm.id)
      const action = step(vm, seen, clock.now())
      if (!action) {
        failures.clear(vm.id)
        return undefined
      }
      if (action.do === 'wait') return action.until
      if (action.do === 'complain') {
        failures.note(vm.id, vm.generation, action.why, action.passing)
        return clock.now() + failures.waitFor(vm.id, vm.generation)
      }
      const wait = holdBack(action, seen)
      if (wait > 0) return clock.now() + wait
      const level = goesOn(action, seen) ? 'debug' : 'info'
      log[level]({ server: vm.id, do: action.do, generation: vm.generation, request: vm.requestId }, 'guest')
      const applied = await apply(driver, action)
      if (action.do === 'settle') failures.clear(vm.id)
      if (applied.next === 'wait') return applied.waitMs === undefined ? undefined : clock.now() + applied.waitMs * 1000
    }
    throw new Error(`the guest did not get where it should be in ${maxSteps} steps`)
  }

  /** Begins a task for a guest unless it has one. Troubles end in the report, never in the round. */
  const begin = (id: string, generation: number, work: () => Promise<Micros | undefined>) => {
    if (tasks.has(id)) return
    due.delete(id)
    const run = async () => {
      try {
        const at = await work()
        if (at !== undefined) due.set(id, at)
      } catch (error) {
        const text = isProblem(error) ? error.message : 'The host could not do what was asked of this guest; its log says more.'
        failures.note(id, generation, text, !isProblem(error) || error.kind === 'unavailable')
        due.set(id, clock.now() + failures.waitFor(id, generation))
        log.warn({ server: id, error: explainError(error) }, 'guest failed')
      } finally {
        tasks.delete(id)
      }
    }
    tasks.set(id, run())
  }

  const beginAll = (desired: Desired<Vm>, seen: GuestSeen[]) => {
    const vms = new Map(desired.items.map((vm) => [vm.id, vm]))
    for (const action of plan(desired, seen, { now: clock.now(), strangers })) {
      const id = 'vm' in action ? action.vm.id : action.id
      const vm = vms.get(id)
      if (vm && failures.waitFor(id, vm.generation) > 0) continue
      if (vm) begin(id, vm.generation, () => advance(vm))
      else begin(id, 0, () => leave(action))
    }
  }

  const leave = async (action: Action): Promise<undefined> => {
    if (action.do !== 'pause' && action.do !== 'remove') return
    log.warn({ server: action.id, do: action.do }, 'guest that no document names')
    await apply(driver, action)
  }

  /** Only complete documents count: of a guest in an incomplete one nothing is known. Tells whether somebody is to be removed soon. */
  const noteStrangers = (desired: Desired<Vm>, seen: GuestSeen[]): boolean => {
    const wanted = new Set(desired.items.map((vm) => vm.id))
    for (const id of strangers) if (wanted.has(id)) strangers.delete(id)
    if (!desired.complete) return false
    const here = seen.filter((guest) => !wanted.has(guest.id)).map((guest) => guest.id)
    strangers.clear()
    for (const id of here) strangers.add(id)
    return here.length > 0
  }

  const tell = async (desired: Desired<Vm>): Promise<VmSeen[]> => {
    const seen = await driver.list()
    const here = new Set(seen.map((guest) => guest.id))
    const missing = desired.items.filter((vm) => !here.has(vm.id)).map((vm) => vm.id)
    const known = new Set([...here, ...missing])
    failures.keepOnly(known)
    crashes.keepOnly(known)
    for (const id of due.keys()) if (!known.has(id)) due.delete(id)
    return [
      ...seen.map((guest) => report(guest, failures.text(guest.id))),
      ...missing.flatMap((id) => (failures.text(id) === undefined ? [] : reportMissing(id, failures.text(id)!))),
    ]
  }

  const again = (): number | undefined => {
    const waits = [...due.values()].map((at) => Math.max(0, (at - clock.now()) / 1000))
    if (strangers.size > 0) waits.push(strangerMs)
    if (tasks.size > 0) waits.push(2 * patienceMs)
    return waits.length === 0 ? undefined : Math.min(...waits)
  }

  return {
    kind: 'vm',
    async round(desired) {
      const seen = await driver.list()
      beginAll(desired, seen)
      await patience([...tasks.values()], patienceMs)
      // What is under way still tells the rounds itself when it ends.
      for (const task of tasks.values()) void task.then(() => changed?.())
      const told = await tell(desired)
      noteStrangers(desired, await driver.list())
      await driver.tidy()
      const soon = again()
      return soon === undefined ? { seen: told } : { seen: told, again: soon }
    },
    watch(callback) {
      changed = callback
      const unwatch = driver.watch(callback)
      return () => {
        changed = undefined
        unwatch()
      }
    },
    async close() {
      await Promise.all(tasks.values())
      await driver.close()
    },
    consoleLog: (id, bytes) => driver.consoleLog(id, bytes),
    inventory: () => driver.inventory(),
  }
}

/** The move is under way already. */
const goesOn = (action: Action, seen: GuestSeen | undefined): boolean =>
  (action.do === 'send' && action.departure.id === seen?.move?.id) ||
  (action.do === 'receive' && action.move.id === seen?.move?.id)

/** Waits for all, or so long. */
async function patience(tasks: Promise<void>[], ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([Promise.all(tasks), enough])
  clearTimeout(timer)
}
