import type { Kysely } from 'kysely'
import type { AgentKind } from '../../../agents/document.ts'
import { forTables } from '../../../kit/db/open.ts'
import { explainError, Problem } from '../../../kit/errors.ts'
import { openQuota, type Quota } from '../../../kit/quota/quota.ts'
import { Killed } from '../../../kit/work/killed.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { Compute } from '../../compute/contract.ts'
import type { Deps } from '../../service.ts'
import type { NetworkTables, NetworkTx } from '../tables.ts'
import { counters, quotaDefaults } from './quotas.ts'
import type { NetworkSettings } from './settings.ts'

/** One transaction, with what is to be told once it is committed. */
export type Change = {
  tx: NetworkTx
  settings: NetworkSettings
  quota: Quota<NetworkTables>
  work: Work
  /** Microseconds, growing. */
  now(): number
  /** This host's agent should look again. */
  hint(host: string, ...kinds: AgentKind[]): void
  /** Something about the ports of this server changed. */
  server(id: string): void
}

export type Store = {
  read: Kysely<NetworkTables>
  settings: NetworkSettings
  quota: Quota<NetworkTables>
  work: Work
  now(): number
  /** Runs it in a transaction (again, when the database says so); after the commit hosts are hinted and compute is told. Both may be lost: rounds and sleeps have ceilings. */
  change<R>(run: (change: Change) => Promise<R>): Promise<R>
}

export type On = Pick<Kysely<NetworkTables>, 'selectFrom'>

export function openStore(
  { db: database, clock, work, hosts, log }: Deps,
  compute: () => Compute,
  settings: NetworkSettings,
): Store {
  const db = forTables<NetworkTables>(database)
  const quota = openQuota<NetworkTables>({
    db: database,
    service: 'network',
    defaults: quotaDefaults,
    counters,
    message: (exceeded) => `Quota exceeded for resources: [${exceeded.map(({ resource }) => `'${resource}'`).join(', ')}].`,
  })
  const tell = async (servers: string[]) => {
    try {
      if (servers.length > 0) await compute().portsChanged({ servers })
    } catch (error) {
      if (error instanceof Killed) throw error
      log.warn({ servers, error: explainError(error) }, 'compute was not told of changed ports')
    }
  }
  return {
    read: db.read,
    settings,
    quota,
    work,
    now: () => clock.now(),
    async change(run) {
      const { result, hints, servers } = await again(async () => {
        const told = { hints: new Map<string, [string, AgentKind]>(), servers: new Set<string>() }
        const result = await db.transaction((tx) => run({ ...changeOf(told.hints, told.servers), tx }))
        return { result, ...told }
      })
      for (const [host, kind] of hints.values()) hosts.hint(host, kind)
      await tell([...servers])
      return result
    },
  }

  function changeOf(hints: Map<string, [string, AgentKind]>, servers: Set<string>): Omit<Change, 'tx'> {
    return {
      settings,
      quota,
      work,
      now: () => clock.now(),
      hint(host, ...kinds) {
        if (host !== '') for (const kind of kinds) hints.set(`${host} ${kind}`, [host, kind])
      },
      server: (id) => servers.add(id),
    }
  }
}

const attempts = 5

/** Two transactions that wait for each other are one too many for PostgreSQL: the one it ends is tried again. */
async function again<R>(run: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      const { code } = error as { code?: string }
      if (attempt === attempts || (code !== '40P01' && code !== '40001')) return constraint(error)
    }
  }
}

/**
 * Somebody else was quicker: took the same value, or came to use what was being deleted. PostgreSQL tells by SQLSTATE (appendix A),
 * SQLite by its extended result code.
 */
function constraint(error: unknown): never {
  const { code, errcode } = error as { code?: string; errcode?: number }
  if (code === '23503' || errcode === 787)
    throw new Problem('conflict', 'The resource is in use, or what it needs has just gone.', { code: 'InUse', cause: error })
  if (code === '23505' || errcode === 2067 || errcode === 1555)
    throw new Problem('conflict', 'Somebody else did the same at the same time.', { code: 'Conflict', cause: error })
  throw error
}
