import type { Client, Entry } from 'ldapts'
import { assertNoTransaction } from '../../../kit/context.ts'
import { explainError, isProblem, Problem } from '../../../kit/errors.ts'
import { openTurnstile, type Turnstile } from '../../../kit/turnstile.ts'
import type {
  Directory,
  DirectoryConnection,
  DirectoryEntry,
  DirectorySearch,
  DirectoryServer,
  OpenDirectory,
} from '../driver.ts'
import { filterOf } from './filter.ts'
import { isGuidAttribute, toGuid } from './guid.ts'
import { openWire, tlsOptions } from './wire.ts'

export type LdapLimits = { connectMs?: number; wholeMs?: number; parallel?: number; waiting?: number; answerBytes?: number }

/**
 * LDAP (RFC 4511) by simple bind, a connection for each question. Of this process each directory gets so many connections
 * at a time, and each connection so long and so many bytes: what is slow holds nobody up but those who ask it.
 */
export function ldapDirectories(limits: LdapLimits = {}): OpenDirectory {
  const { connectMs = 5000, wholeMs = 15_000, parallel = 10, waiting = 200, answerBytes = 32 << 20 } = limits
  const turnstiles = new Map<string, Turnstile>()
  return (connection) => {
    const key = JSON.stringify(connection.servers)
    const inTurn =
      turnstiles.get(key) ?? openTurnstile(parallel, waiting, 'Too many are waiting for the directory. Try again later.')
    turnstiles.set(key, inTurn)
    const talk = <T>(run: (client: Client) => Promise<T>) => {
      assertNoTransaction('a directory')
      return inTurn(() => firstThatAnswers(connection, { connectMs, wholeMs, answerBytes }, run))
    }
    return openLdap(connection, talk)
  }
}

type Talk = <T>(run: (client: Client) => Promise<T>) => Promise<T>

function openLdap({ bind }: DirectoryConnection, talk: Talk): Directory {
  return {
    search: (ask) =>
      talk(async (client) => {
        if (bind) await client.bind(bind.dn, bind.password)
        return search(client, ask)
      }),
    async check(dn, password) {
      // An empty password would bind as nobody, and succeed. What is no name could be taken for a mechanism of SASL.
      if (password === '' || !dn.includes('=')) return false
      return talk(async (client) => {
        try {
          await client.bind(dn, password)
          return true
        } catch (error) {
          if (isRefusal(error)) return false
          throw error
        }
      })
    },
  }
}

async function search(client: Client, { base, scope, filter, attributes, pageSize }: DirectorySearch): Promise<DirectoryEntry[]> {
  const library = await import('ldapts')
  const options = {
    scope,
    filter: filterOf(library, filter),
    attributes,
    explicitBufferAttributes: attributes.filter(isGuidAttribute),
  }
  // Without a limit of ours: the library takes what was cut off at one for the whole.
  if (pageSize === 0) return (await client.search(base, options)).searchEntries.map(entryOf)
  const found: DirectoryEntry[] = []
  for await (const page of client.searchPaginated(base, { ...options, paged: { pageSize } }))
    found.push(...page.searchEntries.map(entryOf))
  return found
}

function entryOf({ dn, ...rest }: Entry): DirectoryEntry {
  const values = Object.entries(rest).map(([name, value]) => [
    name.toLowerCase(),
    [value].flat().flatMap((one) => textOf(name, one)),
  ])
  return { dn, values: Object.fromEntries(values) }
}

/** Bytes that are no text are left out. */
const textOf = (name: string, value: string | Buffer): string[] => {
  if (typeof value === 'string') return [value]
  return isGuidAttribute(name) && value.length === 16 ? [toGuid(value)] : []
}

type Times = { connectMs: number; wholeMs: number; answerBytes: number }

async function firstThatAnswers<T>(
  connection: DirectoryConnection,
  times: Times,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  const errors: unknown[] = []
  for (const server of connection.servers) {
    try {
      return await talkTo(server, connection, times, run)
    } catch (error) {
      const told = problemOf(error)
      if (told) throw told
      errors.push(error)
    }
  }
  throw new Problem('unavailable', 'The directory of this domain does not answer. Try again later.', {
    cause: errors.length === 1 ? errors[0] : new Error(errors.map(explainError).join('; ')),
  })
}

async function talkTo<T>(
  server: DirectoryServer,
  connection: DirectoryConnection,
  { connectMs, wholeMs, answerBytes }: Times,
  run: (client: Client) => Promise<T>,
): Promise<T> {
  const { Client: LdapClient } = await import('ldapts')
  const wire = openWire(server, server.tls === 'none' ? {} : await tlsOptions(server, connection), answerBytes)
  const host = server.host.includes(':') ? `[${server.host}]` : server.host
  const client = new LdapClient({
    url: `${server.tls === 'ldaps' ? 'ldaps' : 'ldap'}://${host}:${server.port}`,
    timeout: wholeMs,
    connectTimeout: connectMs,
    createConnection: wire.connect,
    createSecureConnection: wire.secure as never,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      wire.cut()
      reject(new Error(`the directory took longer than ${wholeMs} ms`))
    }, wholeMs)
  })
  const whole = async (): Promise<T> => {
    if (server.tls === 'starttls') await client.startTLS({ ...wire.tls })
    return run(client)
  }
  try {
    return await Promise.race([whole(), late])
  } finally {
    clearTimeout(timer)
    client.unbind().catch(() => undefined)
    wire.cut()
  }
}

const codeOf = (error: unknown): number | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : undefined
}

/** Busy (51), unavailable (52), too busy for us (11) and unwilling to answer in time (3) are about the server; every other answer is about who binds. */
const isRefusal = (error: unknown): boolean => {
  const code = codeOf(error)
  return code !== undefined && ![1, 2, 3, 11, 51, 52].includes(code)
}

/** What another server of the same directory would answer too; undefined: it may be asked. */
function problemOf(error: unknown): Problem | undefined {
  if (isProblem(error)) return error
  const code = codeOf(error)
  if (code === 32) return new Problem('not-found', 'The directory of this domain has no such entry.', { cause: error })
  if (code === 3 || code === 4 || code === 11)
    return new Problem('unavailable', 'The directory of this domain gives no more entries than its size limit.', { cause: error })
  if (code === 49) return new Problem('unavailable', 'The directory of this domain does not know this cloud.', { cause: error })
  return undefined
}
