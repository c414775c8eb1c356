import { spawn } from 'node:child_process'
import type { Part } from './parts.ts'

export type PartResult = { part: Part; seconds: number; trouble?: string }

/** Runs the parts one after the other; one that goes on beside is waited for before one that wants to be alone, and at the end. */
export async function runParts(parts: readonly Part[], root: string): Promise<PartResult[]> {
  const results: PartResult[] = []
  const beside: Promise<PartResult>[] = []
  for (const part of parts) {
    if (part.isAlone) results.push(...(await Promise.all(beside.splice(0))))
    if (part.isBeside) beside.push(runPart(part, root))
    else results.push(await runPart(part, root))
  }
  return [...results, ...(await Promise.all(beside))]
}

/** Runs one part in a process group of its own, so that one that hangs is ended whole. What goes on beside others speaks when it has ended. */
export async function runPart(part: Part, root: string): Promise<PartResult> {
  const title = `\n=== ${part.name}: ${part.argv.join(' ')}`
  console.log(part.isBeside ? `${title} (beside what follows)` : title)
  const started = performance.now()
  const said: Buffer[] = []
  const trouble = part.needsRoot && process.getuid?.() !== 0 ? 'needs root: run it with sudo' : await troubleOf(part, root, said)
  const seconds = (performance.now() - started) / 1000
  if (part.isBeside) console.log(`${title}\n${Buffer.concat(said)}`)
  return { part, seconds, ...(trouble !== undefined && { trouble }) }
}

const troubleOf = ({ argv, limitSeconds = 180, isBeside }: Part, root: string, said: Buffer[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    const [program = '', ...args] = argv
    const out = isBeside ? 'pipe' : 'inherit'
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', out, out], detached: true })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk))
    const stop = () => child.pid !== undefined && endGroup(child.pid)
    const timer = setTimeout(stop, limitSeconds * 1000)
    const interrupted = () => {
      stop()
      process.exit(130)
    }
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)
    const settle = (trouble: string | undefined) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupted)
      process.off('SIGTERM', interrupted)
      resolve(trouble)
    }
    child.on('error', (error) => settle(`did not start: ${error.message}`))
    child.on('exit', (code, signal) => {
      if (code === 0) settle(undefined)
      else settle(signal === 'SIGKILL' ? `took more than ${limitSeconds} s, or was killed` : `FAILED with ${code ?? signal}`)
    })
  })

const endGroup = (leader: number) => {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}
