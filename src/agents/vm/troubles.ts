import { type Clock, type Micros, minute, second } from '../../kit/clock.ts'

type Trouble = { generation: number; text: string; count: number; at: Micros; notBefore: Micros; told: boolean }

/** What went wrong with which guest, and when it may be tried again. In memory only: after a restart everything is tried at once. */
export type Troubles = {
  /** `passing`: likely over in a moment (a controller that restarts, a QEMU that just starts); told only when it comes again and again. */
  note(id: string, generation: number, text: string, passing?: boolean): void
  /**
   * After the first trouble `firstDelay`, after the second 5 s, then double, up to a minute; after a passing one 1 s, then double. A
   * new generation may try at once.
   */
  waitFor(id: string, generation: number): Micros
  /** What to tell the user. */
  text(id: string): string | undefined
  clear(id: string): void
  /** Forgets guests that are neither here nor wanted. */
  keepOnly(ids: ReadonlySet<string>): void
}

export type TroubleOptions = {
  clock: Clock
  /** Delay after the first trouble. */
  firstDelay: Micros
  /** A trouble so long ago is not counted any more. */
  forgetAfter: Micros
}

/** So often a passing trouble may come without being told: 1 + 2 + 4 s. */
const untold = 3

export function openTroubles({ clock, firstDelay, forgetAfter }: TroubleOptions): Troubles {
  const known = new Map<string, Trouble>()
  const delay = (count: number, passing: boolean) => {
    if (passing) return Math.min(second * 2 ** (count - 1), minute)
    return count === 1 ? firstDelay : Math.min(5 * second * 2 ** (count - 2), minute)
  }
  return {
    note(id, generation, text, passing = false) {
      const at = clock.now()
      const old = known.get(id)
      const count = old && old.generation === generation && at - old.at < forgetAfter ? old.count + 1 : 1
      const told = !passing || count > untold
      known.set(id, { generation, text, count, at, notBefore: at + delay(count, passing), told })
    },
    waitFor(id, generation) {
      const trouble = known.get(id)
      return trouble && trouble.generation === generation ? Math.max(0, trouble.notBefore - clock.now()) : 0
    },
    text(id) {
      const trouble = known.get(id)
      return trouble?.told ? trouble.text : undefined
    },
    clear: (id) => void known.delete(id),
    keepOnly(ids) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
  }
}
