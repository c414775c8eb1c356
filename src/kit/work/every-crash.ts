import { type Effects, withContext } from '../context.ts'
import { Killed } from './killed.ts'

export type CrashWorld = {
  /** Drives everything until nothing is due: the life under test. */
  settle(): Promise<void>
  /** What a restart is: leases of the dead run out, and whoever is left settles everything. */
  restart(): Promise<void>
  close(): Promise<void>
}

export type CrashPlan<World extends CrashWorld> = {
  /** A fresh world, with the requests already made (they were acknowledged before the killing starts). */
  world(): Promise<World>
  /** Asserts that the world is as if nobody had been killed, and that nothing is left over. */
  check(world: World): Promise<void>
  /** Kills after each so many-th effect only. Default 1. */
  stride?: number
}

/**
 * Runs a life once to count what it does to the world, then once per effect with a kill right after it, then with every step run
 * twice; each time the world must end the same. Effects are committed transactions, contract calls and driver calls.
 * Gives how many there were, so that a test can assert that it tested something.
 */
export async function everyCrash<World extends CrashWorld>(plan: CrashPlan<World>): Promise<number> {
  const total = await live(plan, Number.POSITIVE_INFINITY)
  for (let at = 1; at <= total; at += plan.stride ?? 1) await live(plan, at)
  const twice = await plan.world()
  await withContext({ everyStepTwice: true }, () => twice.settle())
  await plan.check(twice)
  await twice.close()
  return total
}

async function live<World extends CrashWorld>(plan: CrashPlan<World>, killAt: number): Promise<number> {
  const world = await plan.world()
  let count = 0
  let last = ''
  const effects: Effects = {
    tick(what) {
      count++
      // Once dead, always dead: a catch on the way must not bring it back to life.
      if (count < killAt) return
      if (count === killAt) last = what
      throw new Killed(last)
    },
  }
  try {
    await withContext({ effects }, () => world.settle())
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
  try {
    await world.restart()
    await plan.check(world)
  } catch (error) {
    throw new Error(`killed after effect ${killAt} (${last}): ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  await world.close()
  return count
}
