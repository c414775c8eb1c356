/** All tests of services and of the kit's database parts, over PostgreSQL: `node test/postgres/run.ts [part of a path ...]`. As root. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startPostgres } from './server.ts'

const server = await startPostgres()
const wanted =
  process.argv.length > 2 ? process.argv.slice(2) : ['src/services', 'src/kit/bus', 'src/kit/db', 'src/kit/quota', 'src/kit/work']
const child = spawn(process.execPath, [fileURLToPath(new URL('../run.ts', import.meta.url)), ...wanted], {
  stdio: 'inherit',
  env: { ...process.env, ALTOSTACK_TEST_DATABASE: server.url },
})
const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)))
await server.stop()
process.exit(code)
