import { type Clock, type Micros, minute, second } from '../../kit/clock.ts'

type Trouble = { generation: number; text: string; count: number; at: Micros; notBefore: Micros }

/** What went wrong with which guest, and when it may be tried again. In memory only: after a restart everything is tried at once. */
export type Troubles = {
  note(id: string, generation: number, text: string): void
  /** The first trouble costs no delay; the second 5 s, then double, up to a minute. A new generation may try at once. */
  waitFor(id: string, generation: number): Micros
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

export function openTroubles({ clock, firstDelay, forgetAfter }: TroubleOptions): Troubles {
  const known = new Map<string, Trouble>()
  const delay = (count: number) => (count === 1 ? firstDelay : Math.min(5 * second * 2 ** (count - 2), minute))
  return {
    note(id, generation, text) {
      const at = clock.now()
      const old = known.get(id)
      const count = old && old.generation === generation && at - old.at < forgetAfter ? old.count + 1 : 1
      known.set(id, { generation, text, count, at, notBefore: at + delay(count) })
    },
    waitFor(id, generation) {
      const trouble = known.get(id)
      return trouble && trouble.generation === generation ? Math.max(0, trouble.notBefore - clock.now()) : 0
    },
    text: (id) => known.get(id)?.text,
    clear: (id) => void known.delete(id),
    keepOnly(ids) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
  }
}
