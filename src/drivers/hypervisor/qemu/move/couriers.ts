import { explainError } from '../../../../kit/errors.ts'
import type { Log } from '../../../../kit/log.ts'
import type { Links } from '../links.ts'

/** How a piece of work that takes long hears that it should end, and waits. */
export type Way = {
  readonly stopped: boolean
  /** So long, or until something happens to the guest's QEMU, or until it should end. */
  rest(ms: number): Promise<void>
}

/** Work that goes on between rounds, at most one for each guest. What it needs to know is on disk and in QEMU, so that another goes on. */
export type Couriers = {
  attend(id: string, work: (way: Way) => Promise<void>): void
  attends(id: string): boolean
  /** Waits until it has ended. */
  stop(id: string): Promise<void>
  stopAll(): Promise<void>
}

type Courier = { stopped: boolean; wake(): void; done: Promise<void> }

export function openCouriers(links: Pick<Links, 'hear' | 'tell'>, log: Log): Couriers {
  const out = new Map<string, Courier>()
  links.hear((id) => out.get(id)?.wake())

  const attend: Couriers['attend'] = (id, work) => {
    if (out.has(id)) return
    const courier: Courier = { stopped: false, wake: () => {}, done: Promise.resolve() }
    const rest = (ms: number) =>
      new Promise<void>((resolve) => {
        if (courier.stopped) return resolve()
        const timer = setTimeout(resolve, ms)
        courier.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    const way: Way = {
      get stopped() {
        return courier.stopped
      },
      rest,
    }
    const run = async () => {
      try {
        await work(way)
      } catch (error) {
        log.warn({ server: id, error: explainError(error) }, 'a move was given up for now')
      } finally {
        out.delete(id)
        links.tell(id)
      }
    }
    out.set(id, courier)
    courier.done = run()
  }
  const stop = async (id: string) => {
    const courier = out.get(id)
    if (!courier) return
    courier.stopped = true
    courier.wake()
    await courier.done
  }
  return {
    attend,
    attends: (id) => out.has(id),
    stop,
    stopAll: async () => void (await Promise.all([...out.keys()].map(stop))),
  }
}
