import { spawn } from 'node:child_process'
import { assertNoTransaction } from '../context.ts'
import type { Log } from '../log.ts'

export type RunOptions = {
  /** Text for standard input. */
  input?: string
  /** Default 30,000. The program is killed after it. */
  timeoutMs?: number
  /** Default 4 MiB for each of the two outputs; a program that says more is killed. */
  maxOutputBytes?: number
  env?: Record<string, string>
  cwd?: string
}

export type RunResult = { code: number; stdout: string; stderr: string }

/** A program ended badly: the command without its input, the code, and the end of what it said. */
export class CommandFailed extends Error {
  readonly argv: readonly string[]
  readonly code: number
  readonly stderr: string

  constructor(argv: readonly string[], code: number, stderr: string, why = `ended with ${code}`) {
    super(`${argv.slice(0, 6).join(' ')} ${why}: ${stderr.trim().slice(-600)}`)
    this.name = 'CommandFailed'
    this.argv = argv
    this.code = code
    this.stderr = stderr
  }
}

export type Exec = {
  /** Runs a program to its end and gives what it said, whatever its code was. Throws CommandFailed when it cannot start, is too slow or says too much. */
  attempt(argv: readonly string[], options?: RunOptions): Promise<RunResult>
  /** The same, and a code other than 0 throws CommandFailed. Gives standard output. */
  run(argv: readonly string[], options?: RunOptions): Promise<string>
}

/** The only door to other programs: an argument vector, never a shell line; limits on time and output; a log line each at debug. */
export function openExec(log: Log): Exec {
  const attempt = (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    assertNoTransaction(`program ${argv[0]}`)
    const { timeoutMs = 30_000, maxOutputBytes = 4 << 20 } = options
    const started = performance.now()
    return new Promise((resolve, reject) => {
      const [program = '', ...args] = argv
      const child = spawn(program, args, {
        cwd: options.cwd,
        env: { ...process.env, LC_ALL: 'C', ...options.env },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      const out: Buffer[] = []
      const err: Buffer[] = []
      const size = { out: 0, err: 0 }
      let why: string | undefined
      const stop = (reason: string) => {
        why = reason
        child.kill('SIGKILL')
      }
      const timer = setTimeout(() => stop(`took longer than ${timeoutMs} ms`), timeoutMs)
      const collect = (into: Buffer[], name: 'out' | 'err') => (chunk: Buffer) => {
        size[name] += chunk.length
        if (size[name] > maxOutputBytes) stop(`said more than ${maxOutputBytes} bytes`)
        else into.push(chunk)
      }
      child.stdout.on('data', collect(out, 'out'))
      child.stderr.on('data', collect(err, 'err'))
      child.on('error', (error) => {
        clearTimeout(timer)
        reject(new CommandFailed(argv, -1, error.message, 'did not start'))
      })
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        const stdout = Buffer.concat(out).toString()
        const stderr = Buffer.concat(err).toString()
        log.debug({ argv: argv.slice(0, 12), code, ms: Math.round(performance.now() - started) }, 'ran')
        if (why !== undefined) reject(new CommandFailed(argv, -1, stderr, why))
        else resolve({ code: code ?? (signal ? 128 : -1), stdout, stderr })
      })
      // A program that ends without reading its input closes the pipe: its exit code tells, not EPIPE.
      child.stdin.on('error', () => {})
      child.stdin.end(options.input ?? '')
    })
  }
  return {
    attempt,
    async run(argv, options) {
      const { code, stdout, stderr } = await attempt(argv, options)
      if (code !== 0) throw new CommandFailed(argv, code, stderr || stdout)
      return stdout
    },
  }
}
