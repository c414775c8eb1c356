import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Exec, openExec } from '../../src/kit/exec/exec.ts'
import { silentLog } from '../../src/kit/log.ts'

export type PostgresServer = { url: string; stop(): Promise<void> }

/** Debian's newest PostgreSQL in a folder of its own, listening on a socket there only. Needs root: the server refuses to be root itself. */
export async function startPostgres(exec: Exec = openExec(silentLog)): Promise<PostgresServer> {
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  const bin = join('/usr/lib/postgresql', versions[0]!, 'bin')
  const folder = mkdtempSync(join(tmpdir(), 'altostack-postgres-'))
  const data = join(folder, 'data')
  const asPostgres = (...argv: string[]) =>
    exec.run(['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...argv], { timeoutMs: 60_000, cwd: '/' })
  await exec.run(['chown', 'postgres:postgres', folder])
  await asPostgres(join(bin, 'initdb'), '-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-locale', '--no-sync')
  // A test's data need not outlive a power cut. Connections: each test's cloud has a pool of its own.
  const settings = `-k ${folder} -c listen_addresses= -c fsync=off -c max_connections=500`
  await asPostgres(join(bin, 'pg_ctl'), '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start')
  return {
    url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
    async stop() {
      await asPostgres(join(bin, 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
