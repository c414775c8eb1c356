import { type ChildProcess, fork } from 'node:child_process'
import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

export type TestEvent = { type: string; data: { nesting?: number; message?: string; counts?: Counts; success?: boolean } }
export type Counts = {
  tests: number
  suites: number
  passed: number
  failed: number
  cancelled: number
  skipped: number
  todo: number
}
export type Result = { success: boolean; counts: Counts; durationMs: number }

const none: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 }

const addCounts = (a: Counts, b: Counts): Counts => ({
  tests: a.tests + b.tests,
  suites: a.suites + b.suites,
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  cancelled: a.cancelled + b.cancelled,
  skipped: a.skipped + b.skipped,
  todo: a.todo + b.todo,
})

/** The lines with which node:test ends a run. */
export const summaryOf = ({ counts, durationMs }: Result): string[] => [
  `tests ${counts.tests}`,
  `suites ${counts.suites}`,
  `pass ${counts.passed}`,
  `fail ${counts.failed}`,
  `cancelled ${counts.cancelled}`,
  `skipped ${counts.skipped}`,
  `todo ${counts.todo}`,
  `duration_ms ${durationMs}`,
]

/**
 * Runs each list of files in a process of its own and prints one report with node:test's summary at its end.
 * A process that dies before its summary is a failure, whatever it had said. `each`: a line for every test, not only for failures.
 */
export async function runShares(shares: readonly (readonly string[])[], options: { each: boolean }): Promise<Result> {
  const started = performance.now()
  const results = await Promise.all(shares.map((files) => runShare(files, options.each)))
  const result: Result = {
    success: results.every((one) => one.success),
    counts: results.map((one) => one.counts).reduce(addCounts, none),
    durationMs: Math.round(performance.now() - started),
  }
  for (const line of summaryOf(result)) console.log(`ℹ ${line}`)
  for (const { died } of results) if (died) console.error(died)
  return result
}

/** The summaries of the single processes are added up to one, so their own lines are left out. */
const isShown = (event: TestEvent, each: boolean): boolean => {
  if (event.type === 'test:fail') return true
  if (event.type === 'test:diagnostic')
    return !/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(event.data.message ?? '')
  return each && event.type !== 'test:summary'
}

async function runShare(files: readonly string[], each: boolean) {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), files, { serialization: 'advanced' })
  let counts = none
  let success: boolean | undefined
  const printer = openPrinter()
  child.on('message', (event: TestEvent) => {
    if (isShown(event, each)) printer.print(event)
    if (event.type !== 'test:summary' || !event.data.counts) return
    counts = event.data.counts
    success = event.data.success ?? false
  })
  const code = await ended(child)
  await printer.end()
  const died =
    success === undefined ? `a test process ended with ${code} before its summary; its files: ${files.join(' ')}` : undefined
  return { success: success === true && code === 0, counts, died }
}

/** Each process has its own: the reporter takes events of one process at a time, in their order. */
function openPrinter() {
  const events = new Readable({ objectMode: true, read() {} })
  const printed = events.pipe(new spec())
  printed.on('data', (text: Buffer) => process.stdout.write(text))
  return {
    print: (event: TestEvent) => events.push(event),
    end: () => {
      events.push(null)
      return new Promise((resolve) => printed.once('end', resolve))
    },
  }
}

const ended = (child: ChildProcess): Promise<number | NodeJS.Signals | null> =>
  new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
