import { spawn } from 'node:child_process'
import type { Part } from './parts.ts'

export type PartResult = { part: Part; seconds: number; trouble?: string }

/** Runs one part in a process group of its own, so that one that hangs is ended whole. */
export async function runPart(part: Part, root: string): Promise<PartResult> {
  console.log(`\n=== ${part.name}: ${part.argv.join(' ')}`)
  const started = performance.now()
  const trouble = part.needsRoot && process.getuid?.() !== 0 ? 'needs root: run it with sudo' : await troubleOf(part, root)
  const seconds = (performance.now() - started) / 1000
  return { part, seconds, ...(trouble !== undefined && { trouble }) }
}

const troubleOf = ({ argv, limitSeconds = 180 }: Part, root: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const [program = '', ...args] = argv
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
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
