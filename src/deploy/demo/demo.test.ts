import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Api } from './api.ts'
import { demoSet, isDemoThere, makeDemo } from './demo.ts'

type Thing = { id: string; kind: string; name: string } & Record<string, unknown>

/** A cloud that keeps what is posted under its kind. Its `changes`th change is carried out and never answered: the caller was killed. */
function fakeCloud(changes = Number.POSITIVE_INFINITY) {
  const things: Thing[] = [{ id: 'role-member', kind: 'roles', name: 'member' }]
  const grants: string[] = []
  let left = changes
  const change = <T>(value: T): T => {
    if (--left < 0) throw new Error('killed')
    return value
  }
  const list = (kind: string, query: URLSearchParams) =>
    things.filter(
      (thing) => thing.kind === kind && [...query].every(([key, value]) => key === 'limit' || String(thing[key]) === value),
    )
  const api: Api = {
    async get<T>(_: string, path: string) {
      const { pathname, searchParams } = new URL(path, 'http://cloud')
      if (pathname === '/role_assignments') return { role_assignments: grants } as T
      const kind = pathname.slice(1)
      return { [kind]: list(kind, searchParams) } as T
    },
    async post<T>(_: string, path: string, body: unknown) {
      const kind = path.slice(1)
      const inner = kind === 'images' ? body : Object.values(body as Record<string, object>)[0]
      const thing = {
        id: `${kind}-${things.length}`,
        kind,
        ...(kind === 'images' && { status: 'queued' }),
        ...(inner as { name: string }),
      }
      things.push(thing)
      return change(thing as T)
    },
    async put<T>(_: string, path: string, body: unknown) {
      if (path.includes('/roles/')) grants.push(path)
      else things.push({ id: 'port', kind: 'ports', name: '', device_id: path.split('/')[2], fixed_ips: [body] })
      return change({} as T)
    },
    async delete(_, path) {
      things.splice(
        things.findIndex(({ id }) => path.endsWith(id)),
        1,
      )
      change(undefined)
    },
    has: async () => true,
    async upload(_, path) {
      const image = things.find(({ id }) => path.includes(id))
      if (left > 0 && image) image['status'] = 'active'
      change(undefined)
    },
  }
  return { api, things, grants, forgive: () => (left = Number.POSITIVE_INFINITY) }
}

async function imageFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-demo-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'mini'), 'bytes')
  return join(folder, 'mini')
}

const whole = 6 + 1 + 2 + 5 + 1

test('the demo set is made once, however often it is asked for', async (t) => {
  const cloud = fakeCloud()
  const set = demoSet({ admin: cloud.api, demoPassword: 'x', imageFile: await imageFile(t) })
  assert.equal(await isDemoThere(set).catch(() => false), false)
  for (let turn = 0; turn < 2; turn++) await makeDemo(set)
  assert.equal(await isDemoThere(set), true)
  assert.equal(cloud.things.length, 1 + whole)
  assert.equal(cloud.grants.length, 1)
})

test('killed after any of its changes, the next run makes just what is missing', async (t) => {
  const file = await imageFile(t)
  for (let changes = 0; changes < whole + 2; changes++) {
    const cloud = fakeCloud(changes)
    const set = demoSet({ admin: cloud.api, demoPassword: 'x', imageFile: file })
    await assert.rejects(makeDemo(set), /could not be made/)
    cloud.forgive()
    await makeDemo(set)
    assert.equal(cloud.things.length, 1 + whole, `killed after ${changes} changes`)
    assert.ok(cloud.things.every((thing) => thing.kind !== 'images' || thing['status'] === 'active'))
  }
})
