import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explainError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import type { AgentKind, ControllerLink, Desired } from './document.ts'

/** What one kind of agent knows how to do on its host. */
export type Agent<Item, Seen> = {
  kind: AgentKind
  /**
   * One round: observe, plan, apply, and tell what is seen now. It takes nothing but what should be, and must be right after a restart,
   * when nobody remembers why it was called. `again`: something is still on its way; look again after so many milliseconds.
   */
  round(desired: Desired<Item>): Promise<{ seen: Seen[]; again?: number }>
  /** Calls back when something changed on the host (QMP event, OVSDB monitor, netlink, a dead dnsmasq). Gives the way to stop. */
  watch?(changed: () => void): () => void
  close?(): Promise<void>
}

export type Rounds = {
  /** Look again now: a hint, never an order. */
  hint(): void
  /** One round, waited for: simulated clouds and tests step their agents with it. Tells whether another is wanted soon. */
  step(): Promise<boolean>
  close(): Promise<void>
}

export type RoundsOptions<Item, Seen> = {
  agent: Agent<Item, Seen>
  link: ControllerLink
  log: Log
  /** Where the last document is kept, so that a host brings up its guests while the controllers are away. Undefined: nowhere. */
  stateDir?: string
  /** Default 30,000. 0: never by itself (tests step). */
  everyMs?: number
}

/** A report that says nothing new is left out so often in a row. */
const silentRounds = 3

/**
 * Runs rounds one at a time: on a hint, on a local event, and every 30 s whatever happens. What a round sees that nothing but time had asked for is told
 * when it, or what should be, has changed since the last report, and else every fourth time only: a controller may have forgotten, or lost its hint.
 */
export function startRounds<Item, Seen>({ agent, link, log, stateDir, everyMs = 30_000 }: RoundsOptions<Item, Seen>): Rounds {
  const file = stateDir === undefined ? undefined : join(stateDir, `desired-${agent.kind}.json`)
  let timer: NodeJS.Timeout | undefined
  let running: Promise<boolean> | undefined
  let wanted = false
  let closed = false
  let kept = ''
  /** What was last told, and why. */
  let last = ''
  let silent = 0

  const fetchDesired = async (): Promise<Desired<Item>> => {
    try {
      const desired = await link.desired<Item>(agent.kind)
      if (file && desired.complete) await keep(file, JSON.stringify(desired))
      return desired
    } catch (error) {
      if (!file) throw error
      const last = await readFile(file, 'utf8').catch(() => undefined)
      if (last === undefined) throw error
      log.warn({ agent: agent.kind, error: explainError(error) }, 'no controller answers: going by the last document')
      // Not complete: what was asked for since then is unknown, so nothing may be removed.
      return { ...(JSON.parse(last) as Desired<Item>), complete: false }
    }
  }

  const keep = async (path: string, text: string) => {
    if (text === kept) return
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    await rename(`${path}.new`, path)
    kept = text
  }

  const report = async (desired: Desired<Item>, seen: Seen[], byTime: boolean) => {
    const now = JSON.stringify([desired, seen])
    if (byTime && now === last && silent++ < silentRounds) return
    last = ''
    await link.report(agent.kind, seen)
    last = now
    silent = 0
  }

  const round = async (byTime: boolean): Promise<boolean> => {
    let again: number | undefined = 1000
    try {
      const desired = await fetchDesired()
      const result = await agent.round(desired)
      again = result.again
      await report(desired, result.seen, byTime)
    } catch (error) {
      log.warn({ agent: agent.kind, error: explainError(error) }, 'round failed')
    }
    if (!closed && everyMs > 0) schedule(wanted ? 0 : Math.min(again ?? everyMs, everyMs))
    return wanted || again !== undefined
  }

  const run = async (byTime: boolean): Promise<boolean> => {
    if (running) await running
    const quiet = byTime && !wanted
    wanted = false
    running = round(quiet).finally(() => {
      running = undefined
    })
    return running
  }

  const schedule = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void run(true), ms)
  }

  const hint = () => {
    wanted = true
    if (!running && !closed && everyMs > 0) schedule(0)
  }
  const unwatch = agent.watch?.(hint)
  if (everyMs > 0) schedule(0)

  return {
    hint,
    step: () => run(false),
    async close() {
      closed = true
      clearTimeout(timer)
      unwatch?.()
      await running?.catch(() => {})
      await agent.close?.()
    },
  }
}
