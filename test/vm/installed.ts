import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Exec, openExec } from '../../src/kit/exec/exec.ts'
import { silentLog } from '../../src/kit/log.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export type Installed = {
  exec: Exec
  /** OS_… variables of `keystonerc_admin`, or of another user's file. */
  env(user?: 'admin' | 'demo'): Record<string, string>
  /** One of this cloud's own tools. Gives what it said; throws when it ended badly. */
  tool(name: 'altostack' | 'nova-manage' | 'packstack', ...args: string[]): Promise<string>
  /** Kills one of the two daemons with -9; false: it was just dead. Only this installation's own: others may have the same title. */
  kill(which: 'controller' | 'agent'): Promise<boolean>
  /** Takes it away again, when it was not there before. */
  leave(): Promise<void>
}

/** The cloud of this machine, installed by the newcomer's command when it is not there. As root. */
export async function installed(): Promise<Installed> {
  const exec = openExec(silentLog)
  const packstack = (...args: string[]) => exec.run([`${root}packstack`, ...args], { timeoutMs: 300_000, cwd: root })
  const before = await exec.attempt([`${root}packstack`, '--status'], { timeoutMs: 60_000, cwd: root })
  const wasThere = before.code === 0
  await packstack('--allinone')
  return {
    exec,
    env: (user = 'admin') => parseRc(readFileSync(`${homedir()}/keystonerc_${user}`, 'utf8')),
    tool: (name, ...args) =>
      name === 'packstack' ? packstack(...args) : exec.run([`${root}bin/${name}`, ...args], { timeoutMs: 60_000 }),
    async kill(which) {
      const pid = readFileSync(`/run/altostack/${which}.pid`, 'utf8').trim()
      return (await exec.attempt(['kill', '-9', pid])).code === 0
    },
    async leave() {
      if (!wasThere) await packstack('--uninstall')
    },
  }
}

const parseRc = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^\s*export (OS_\w+)=['"]?([^'"\n]*)['"]?$/gm)].map(([, name, value]) => [name!, value!]))

/** Asks again each 0.5 s until it gives something; throws with `what` after so many seconds. */
export async function until<Found>(
  what: string,
  seconds: number,
  look: () => Promise<Found | undefined | false>,
): Promise<Found> {
  const end = performance.now() + seconds * 1000
  let last: unknown
  while (performance.now() < end) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    await sleep(500)
  }
  throw new Error(`${what}: not within ${seconds} s${last instanceof Error ? ` (${last.message})` : ''}`)
}

/** Prints a line for each thing proven, and stops at the first that is not. */
export async function prove<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
  const started = performance.now()
  try {
    const value = await run()
    console.log(`ok  ${what}  (${((performance.now() - started) / 1000).toFixed(1)} s)`)
    return value
  } catch (error) {
    console.log(`FAILED  ${what}`)
    throw error
  }
}
