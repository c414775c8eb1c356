import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import ssh2, { type AnyAuthMethod, type Client } from 'ssh2'

export type Said = { code: number; stdout: string; stderr: string }

export type ShellOptions = {
  /** Standard input: text, or bytes as they come. */
  input?: string | Readable
  /** Ends the command when it says nothing for so long. Default 60,000. */
  timeoutMs?: number
  /** Told each whole line of standard output as it comes. */
  onLine?: (line: string) => void
}

/** A session on another host. The command is a line for its shell: SSH knows nothing else. */
export type Shell = {
  run(command: string, options?: ShellOptions): Promise<Said>
  close(): void
}

export type ShellNeeds = {
  address: string
  /** Default 22. */
  port?: number
  user: string
  /** Files of private keys, tried in this order. */
  keyFiles: readonly string[]
  /** Asked once when no key opens; undefined: nobody can be asked. */
  password?: () => Promise<string>
  /** Whether the host is the one it was; base64 of its key and the key's type. */
  isKnown: (key: { type: string; data: string }) => Promise<boolean>
  timeoutMs?: number
}

/** Opens a session. Throws an error that says which host, and what to do about it. `usedPassword`: no key opened. */
export async function openShell(needs: ShellNeeds): Promise<{ shell: Shell; usedPassword: boolean }> {
  const { address, user, keyFiles, password } = needs
  const keys = (await Promise.all(keyFiles.map((file) => readFile(file, 'utf8').catch(() => undefined)))).filter(usable)
  const methods: AnyAuthMethod[] = keys.map((key) => ({ type: 'publickey', username: user, key }))
  const agent = process.env['SSH_AUTH_SOCK']
  if (agent) methods.unshift({ type: 'agent', username: user, agent })
  try {
    return { shell: await connect(needs, methods), usedPassword: false }
  } catch (error) {
    if (!isRefusal(error)) throw named(address, error)
    if (!password)
      throw new Error(
        `${address}: no key opens it for ${user}; put a public key there, or run packstack at a terminal and type the password`,
      )
  }
  const typed = await password()
  const interactive: AnyAuthMethod = {
    type: 'keyboard-interactive',
    username: user,
    prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => typed)),
  }
  try {
    return {
      shell: await connect(needs, [{ type: 'password', username: user, password: typed }, interactive]),
      usedPassword: true,
    }
  } catch (error) {
    throw isRefusal(error)
      ? new Error(`${address}: the password of ${user} is wrong, or the host takes none`)
      : named(address, error)
  }
}

/** A private key with a passphrase is left to the agent. */
const usable = (text: string | undefined): text is string => text !== undefined && !(ssh2.utils.parseKey(text) instanceof Error)

const isRefusal = (error: unknown) => (error as { level?: string }).level === 'client-authentication'

const named = (address: string, error: unknown): Error => {
  const { message, code } = error as Error & { code?: string }
  if (code === 'ECONNREFUSED') return new Error(`${address}: nobody listens on port 22; start sshd there`)
  return new Error(
    `${address}: ${/Timed out|ETIMEDOUT|EHOSTUNREACH/.test(`${message} ${code}`) ? 'it does not answer on port 22' : message}`,
  )
}

function connect(
  { address, port = 22, user, isKnown, timeoutMs = 20_000 }: ShellNeeds,
  methods: AnyAuthMethod[],
): Promise<Shell> {
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve(shellOver(client)))
    client.on('error', reject)
    client.once('close', () => reject(new Error('the connection was closed')))
    const left = [...methods]
    client.connect({
      host: address,
      port,
      username: user,
      readyTimeout: timeoutMs,
      keepaliveInterval: 15_000,
      authHandler: (_left, _partial, next) => next(left.shift() ?? (false as never)),
      hostVerifier: (key: Buffer, verify: (isRight: boolean) => void) => {
        const parsed = ssh2.utils.parseKey(key)
        const type = parsed instanceof Error ? 'unknown' : Array.isArray(parsed) ? parsed[0]!.type : parsed.type
        isKnown({ type, data: key.toString('base64') }).then(verify, () => verify(false))
      },
    })
  })
}

const shellOver = (client: Client): Shell => ({
  run: (command, options) => run(client, command, options),
  close: () => client.end(),
})

function run(client: Client, command: string, { input, timeoutMs = 60_000, onLine }: ShellOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error)
      const said: Said = { code: -1, stdout: '', stderr: '' }
      let rest = ''
      const give = () => {
        channel.close()
        reject(new Error(`said nothing for ${timeoutMs / 1000} s`))
      }
      let timer = setTimeout(give, timeoutMs)
      const again = () => {
        clearTimeout(timer)
        timer = setTimeout(give, timeoutMs)
      }
      const end = () => {
        clearTimeout(timer)
        client.off('close', lost)
        if (said.code === -1) reject(new Error('the connection was lost'))
        else resolve(said)
      }
      const lost = () => end()
      channel.on('data', (bytes: Buffer) => {
        again()
        said.stdout += bytes.toString()
        const lines = (rest + bytes.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onLine?.(line)
      })
      channel.stderr.on('data', (bytes: Buffer) => {
        again()
        said.stderr += bytes.toString()
      })
      channel.on('exit', (code: number | null) => {
        said.code = code ?? 128
        if (input === undefined || typeof input === 'string') return
        // What was still to be sent is wanted by nobody, and the library's channel would wait for it for ever.
        input.unpipe(channel).destroy()
        setTimeout(end, 500)
      })
      channel.on('close', end)
      client.once('close', lost)
      channel.on('error', reject)
      if (input === undefined || typeof input === 'string') return void channel.end(input ?? '')
      input.on('data', again)
      input.on('error', reject)
      input.pipe(channel)
    })
  })
}

/** One word for a shell, whatever is in it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
