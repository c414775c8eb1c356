import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { silentLog } from '../log.ts'
import { memoryBus } from './bus.ts'
import { postgresBus } from './postgres.ts'

test('a hint is heard soon, never during publish, by everybody who still listens to its topic', async () => {
  const bus = memoryBus()
  const heard: string[] = []
  const stop = bus.subscribe('hosts', (text) => heard.push(`first ${text}`))
  bus.subscribe('hosts', (text) => heard.push(`second ${text}`))
  bus.subscribe('work', (text) => heard.push(`work ${text}`))
  bus.publish('hosts', 'a')
  assert.deepEqual(heard, [])
  await soon()
  assert.deepEqual(heard, ['first a', 'second a'])
  stop()
  bus.publish('hosts', 'b')
  await soon()
  assert.deepEqual(heard.slice(2), ['second b'])
})

const server = () => process.env['ALTOSTACK_TEST_DATABASE']
const skip = () => (server() ? false : 'needs PostgreSQL: node test/postgres/run.ts src/kit/bus')

/** Two controllers whose connections PostgreSQL knows by this name. */
async function twoControllers(t: { after(done: () => Promise<void>): void }, name: string) {
  const url = new URL(server()!)
  url.searchParams.set('application_name', name)
  const [here, there] = [await postgresBus(url.href, silentLog), await postgresBus(url.href, silentLog)]
  t.after(here.close)
  t.after(there.close)
  const next = (topic: string) => new Promise<string>((resolve) => there.subscribe(topic, resolve))
  return { here, there, next }
}

test('hints reach other controllers, however many at once, and each its own side once', { skip: skip() }, async (t) => {
  const { here, there, next } = await twoControllers(t, 'many')
  const [own, others]: [string[], string[]] = [[], []]
  here.subscribe('hosts', (text) => own.push(text))
  there.subscribe('hosts', (text) => others.push(text))
  const last = next('last')
  const said = Array.from({ length: 200 }, (_, n) => `host-${n} vm`)
  const warnings: Error[] = []
  const warn = (warning: Error) => warnings.push(warning)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  for (const text of said) here.publish('hosts', text)
  here.publish('last', '')
  await last
  assert.deepEqual([own, others], [said, said])
  assert.deepEqual(warnings, [])
})

test('a hint channel that PostgreSQL cut is opened again', { skip: skip() }, async (t) => {
  const { here, next } = await twoControllers(t, 'cut')
  const { default: pg } = await import('pg')
  const admin = new pg.Client({ connectionString: server() })
  await admin.connect()
  t.after(() => admin.end())
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut'`)
  const heard = next('hosts')
  // Lost hints cost delay: whoever hints goes on doing so.
  const hinting = setInterval(() => here.publish('hosts', 'again'), 50)
  t.after(async () => clearInterval(hinting))
  assert.equal(await heard, 'again')
})
