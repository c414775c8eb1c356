import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type Outcome = {
  /** Its whole name in Python. `setUpClass (…)` stands for all tests of a class that could not be prepared. */
  test: string
  outcome: 'passed' | 'skipped' | 'failed'
  why: string
  seconds: number
}

const program = fileURLToPath(new URL('./worker.py', import.meta.url))

/** Debian's python3 with tempest; its log goes where the configuration says. */
const python = (folder: string, argv: string[]): ChildProcess =>
  spawn('/usr/bin/python3', ['-W', 'ignore', program, ...argv], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, TEMPEST_CONFIG_DIR: folder, TEMPEST_CONFIG: 'tempest.conf' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('close', resolve))

/** Classes of tests under these folders of `tempest/api`. */
export async function listClasses(folder: string, under: readonly string[]): Promise<string[]> {
  const child = python(folder, ['list', ...under])
  const classes: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => classes.push(line))
  const code = await ended(child)
  if (code !== 0) throw new Error(`tempest's tests cannot be listed: it ended with ${code}`)
  return classes
}

/** Runs all classes in so many processes; each takes the next class when it is done with one. */
export async function runClasses(
  folder: string,
  classes: readonly string[],
  workers: number,
  heard: (one: Outcome) => void,
): Promise<void> {
  const waiting = [...classes]
  await Promise.all(Array.from({ length: workers }, () => oneWorker(python(folder, ['run']), () => waiting.shift(), heard)))
}

async function oneWorker(child: ChildProcess, next: () => string | undefined, heard: (one: Outcome) => void): Promise<void> {
  let running: string | undefined
  const feed = () => {
    running = next()
    if (running === undefined) child.stdin!.end()
    else child.stdin!.write(`${running}\n`)
  }
  createInterface({ input: child.stdout! }).on('line', (line) => (line === '' ? feed() : heard(JSON.parse(line) as Outcome)))
  feed()
  const code = await ended(child)
  if (running !== undefined) heard({ test: running, outcome: 'failed', why: `the worker ended with ${code}`, seconds: 0 })
}
