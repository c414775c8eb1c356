import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type Said = { code: number; out: string; err: string }

export type OpenstackClient = {
  /** One command as typed after `openstack`; words with blanks as an array. Throws when it fails, with what it said. */
  run(command: string | string[]): Promise<string>
  /** The same with `-f json`, parsed. */
  json<T>(command: string | string[]): Promise<T>
  /** For commands that should fail. */
  attempt(command: string | string[]): Promise<Said>
  close(): void
}

/** Debian's python3-openstackclient, or the one of another package, with these OS_… variables. */
export function openClient(env: Record<string, string>, module = 'openstackclient.shell'): OpenstackClient {
  const child = spawn('/usr/bin/python3', [fileURLToPath(new URL('./session.py', import.meta.url)), module], {
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', PYTHONWARNINGS: 'ignore', PYTHONUNBUFFERED: '1', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: ((said: Said) => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(JSON.parse(line) as Said))
  child.on('close', (code) => {
    for (const tell of waiting) tell({ code: code ?? -1, out: '', err: 'the client died' })
  })
  const words = (command: string | string[]) =>
    typeof command === 'string' ? command.split(' ').filter((word) => word !== '') : command
  const attempt = (command: string | string[]) =>
    new Promise<Said>((resolve) => {
      waiting.push(resolve)
      child.stdin.write(`${JSON.stringify(words(command))}\n`)
    })
  const run = async (command: string | string[]) => {
    const { code, out, err } = await attempt(command)
    if (code !== 0) throw new Error(`${words(command).join(' ')} ended with ${code}: ${err.trim() || out.trim()}`)
    return out
  }
  return {
    attempt,
    run,
    json: async <T>(command: string | string[]) => JSON.parse(await run([...words(command), '-f', 'json'])) as T,
    close: () => child.stdin.end(),
  }
}
