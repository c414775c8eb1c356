/** All tests of services and of the kit's database parts, over PostgreSQL: `node test/postgres/run.ts [part of a path ...]`. As root. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/kit/clock.ts'
import { migrate } from '../../src/kit/db/migrate.ts'
import { openDb } from '../../src/kit/db/open.ts'
import { cloudMigrations } from '../../src/main/cloud.ts'
import { runSql } from '../database.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
const template = 'cloud'
await makeTemplate()
const wanted =
  process.argv.length > 2 ? process.argv.slice(2) : ['src/services', 'src/kit/bus', 'src/kit/db', 'src/kit/quota', 'src/kit/work']
const child = spawn(process.execPath, [fileURLToPath(new URL('../run.ts', import.meta.url)), ...wanted], {
  stdio: 'inherit',
  env: { ...process.env, ALTOSTACK_TEST_DATABASE: server.url, ALTOSTACK_TEST_TEMPLATE: template },
})
const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)))
await server.stop()
process.exit(code)

/** A cloud's tables, to be copied for each test. */
async function makeTemplate(): Promise<void> {
  await runSql(server.url, `create database ${template}`)
  const url = new URL(server.url)
  url.pathname = `/${template}`
  const db = await openDb(url.toString())
  await migrate(db, systemClock(), cloudMigrations())
  await db.close()
}
