/**
 * Token validation by one and by two API processes over one PostgreSQL: `node test/load/processes.ts [requests] [percent]`. The client is a process too: on
 * two processors it and the database take what a second API process would need. So each API process is held to so many percent of a processor (default
 * 30; 100: not held), and the table tells what each request costs. Needs root and postgresql.
 */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { startPostgres } from '../postgres/server.ts'
import { type Connection, measure, openConnection } from './client.ts'
import { type LoadedController, password, startController } from './controller.ts'
import { hold } from './share.ts'

const requests = Number(process.argv[2] ?? 20_000)
const percent = Number(process.argv[3] ?? 30)
const clients = 8

const postgres = await startPostgres()
const processes: LoadedController[] = []
// The first one makes the tables.
for (let n = 0; n < 2; n++) processes.push(await startController({ database: postgres.url, roles: 'api' }))

const json = { 'content-type': 'application/json' }
const login = JSON.stringify({
  auth: {
    identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password } } },
    scope: { project: { name: 'admin', domain: { id: 'default' } } },
  },
})
const first = await openConnection(processes[0]!.url('identity'))
const token = /x-subject-token: (\S+)/i.exec((await first.ask('POST', '/v3/auth/tokens', json, login)).headers)![1]!
const validate = async (one: Connection) => {
  const answer = await one.ask('GET', '/v3/auth/tokens?nocatalog', { 'x-auth-token': token, 'x-subject-token': token })
  assert.equal(answer.status, 200, answer.body)
}

const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000

async function run(among: LoadedController[]) {
  const opened = await Promise.all(
    Array.from({ length: clients * among.length }, (_, n) => openConnection(among[n % among.length]!.url('identity'))),
  )
  const before = among.map((one) => one.cpuSeconds() * 1000)
  const own = cpuMs()
  const figure = await measure(requests, opened, validate)
  const spent = among.map((one, n) => one.cpuSeconds() * 1000 - before[n]!)
  for (const one of opened) one.close()
  const share = (ms: number) => `${Math.round(ms / figure.seconds / 10)} %`
  console.log(
    `${among.length} process${among.length > 1 ? 'es' : '  '}  ${figure.perSecond.toFixed(0)}/s  p50 ${figure.p50Ms.toFixed(1)} ms  p95 ${figure.p95Ms.toFixed(1)} ms` +
      `  processor time a request ${((1000 * spent.reduce((sum, ms) => sum + ms, 0)) / requests).toFixed(0)} us` +
      `  (of one processor: ${spent.map(share).join(' + ')}, client ${share(cpuMs() - own)})`,
  )
  return figure.perSecond
}

/** Both as quick as they get. */
async function warm() {
  const all = await Promise.all(processes.map((process) => openConnection(process.url('identity'))))
  await measure(20_000, all, validate)
  for (const one of all) one.close()
}

await warm()
const held = percent >= 100 ? [] : processes.map(({ pid }) => hold(pid, percent))
console.log(
  `${availableParallelism()} processors, each API process may have ${percent} % of one; ${clients} connections to each, ${requests} validations`,
)
const one = await run(processes.slice(0, 1))
const two = await run(processes)
console.log(`two do ${(two / one).toFixed(2)} times what one does`)

for (const letGo of held) letGo()
first.close()
for (const one of processes) await one.close()
await postgres.stop()
process.exit(0)
