import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import { isoMicros, minute } from '../../../kit/clock.ts'
import { serverWorld } from './world.ts'

/** Two servers of two projects that went back and forth: six migrations, the newest first. */
async function travelled() {
  const world = await serverWorld(undefined, { hosts: ['host-1', 'host-2'] })
  const other = world.admin
  const mine = (await world.server()).id
  const theirs = (await world.server({ networks: 'none' }, other)).id
  await world.settle()
  for (const { id, action } of [
    { id: mine, action: { migrate: null } },
    { id: mine, action: { confirmResize: null } },
    { id: mine, action: { 'os-migrateLive': { host: null, block_migration: 'auto' } } },
    { id: theirs, action: { 'os-migrateLive': { host: null, block_migration: true } } },
    { id: theirs, action: { 'os-migrateLive': { host: null, block_migration: false } } },
  ]) {
    world.clock.advance(minute / 2)
    await world.settle()
    assert.ok((await world.act(id, action, world.admin)) < 300)
    await world.settle()
  }
  return { ...world, mine, theirs }
}

const ids = (answer: { body: Json }) => answer.body.migrations.map((one: Json) => one.id)
const ask =
  (client: Client, version = '2.80') =>
  (query = '') =>
    client.compute.get(`/os-migrations${query}`, { version })

test('migrations are listed: all of them to admins, a project’s own to its manager, none to its members', async (t) => {
  const world = await travelled()
  t.after(world.close)
  const admin = ask(world.admin)
  const all = await admin()
  assert.deepEqual(ids(all), [4, 3, 2, 1])
  assert.deepEqual(
    all.body.migrations.map((one: Json) => [one.migration_type, one.status]),
    [
      ['live-migration', 'error'],
      ['live-migration', 'completed'],
      ['live-migration', 'completed'],
      ['migration', 'confirmed'],
    ],
  )
  const own = await ask(world.manager)()
  assert.deepEqual(ids(own), [2, 1])
  assert.deepEqual([own.body.migrations[0].source_compute, own.body.migrations[0].dest_compute], [null, null])
  assert.deepEqual(ids(await ask(world.manager)(`?project_id=${world.admin.caller.projectId}`)), [])
  for (const client of [world.member, world.reader, world.stranger, world.service])
    assert.equal((await ask(client)()).status, 403)

  for (const [query, found] of [
    [`?instance_uuid=${world.mine}`, [2, 1]],
    ['?status=completed', [3, 2]],
    ['?migration_type=migration', [1]],
    ['?host=host-1', [4, 3, 2, 1]],
    ['?source_compute=host-2', [3, 2]],
    [`?project_id=${world.member.caller.projectId}`, [2, 1]],
    [`?user_id=${world.admin.caller.userId}`, [4, 3, 2, 1]],
    ['?hidden=1', []],
    ['?status=none', []],
  ] as const)
    assert.deepEqual(ids(await admin(query)), found, query)
  const [, second] = all.body.migrations
  const from = encodeURIComponent(`${second.updated_at}Z`)
  assert.deepEqual(ids(await admin(`?changes-since=${from}`)), [4, 3])
  assert.deepEqual(ids(await admin(`?changes-before=${from}`)), [3, 2, 1])
  const late = encodeURIComponent(isoMicros(world.clock.now()))
  assert.equal((await admin(`?changes-since=${late}&changes-before=${from}`)).status, 400)

  const page = await admin('?limit=3')
  assert.deepEqual(ids(page), [4, 3, 2])
  const next = new URL(page.body.migrations_links[0].href)
  assert.equal(page.body.migrations_links[0].rel, 'next')
  assert.deepEqual(ids(await admin(next.search)), [1])
  assert.equal((await admin('?marker=00000000-0000-4000-8000-000000000000')).status, 400)

  for (const [query, version] of [
    ['?limit=x', '2.59'],
    ['?limit=1&limit=2', '2.59'],
    ['?changes-since=x', '2.59'],
    ['?changes-before=2026-01-01T00:00:00Z', '2.65'],
    ['?user_id=x', '2.79'],
    ['?unknown=1', '2.59'],
  ] as const)
    assert.equal((await ask(world.admin, version)(query)).status, 400, `${query} ${version}`)
  assert.deepEqual(ids(await ask(world.admin, '2.58')('?limit=1&unknown=2&changes-since=x')), [4, 3, 2, 1])
})

test('what a live migration may be asked with depends on the version; what cannot be is a 400 before 2.34 and shows later after that', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  const { id } = await world.server()
  await world.settle()
  const live = (ask: object, version: string, client = world.admin) => world.act(id, { 'os-migrateLive': ask }, client, version)
  const auto = { host: null, block_migration: 'auto' }
  const old = { host: null, block_migration: true, disk_over_commit: false }
  for (const [ask, version] of [
    [auto, '2.24'],
    [old, '2.25'],
    [{ ...auto, force: true }, '2.29'],
    [{ ...auto, force: false }, '2.68'],
    [{ host: null }, '2.68'],
    [{ block_migration: 'auto' }, '2.68'],
    [{ ...auto, host: '' }, '2.68'],
    [{ ...auto, host: 'a b' }, '2.68'],
    [{ ...auto, force: true }, '2.30'],
    [{ ...auto, host: 'nowhere' }, '2.68'],
    // There is no other host, which is known at once.
    [old, '2.1'],
    [auto, '2.33'],
  ] as const)
    assert.equal(await live(ask, version), 400, JSON.stringify([ask, version]))
  await world.addHost('host-2')
  assert.equal(await live({ host: null, block_migration: false }, '2.33'), 400, 'no disk is shared')
  assert.equal(await live(auto, '2.68', world.member), 403)
  assert.equal(await live(auto, '2.68', world.stranger), 404)
  assert.equal(await live({ ...auto, host: 'host-2' }, '2.68', world.manager), 403)
  assert.equal((await world.show(id)).status, 'ACTIVE')
  assert.equal((await world.admin.compute.get('/os-migrations')).body.migrations.length, 0, 'nothing of these was begun')
  assert.equal(await live(auto, '2.68', world.manager), 202)
  assert.equal(await live(auto, '2.68'), 409, 'one at a time')
  for (const action of [{ 'os-stop': null }, { reboot: { type: 'HARD' } }, { migrate: null }, { resize: { flavorRef: 'x' } }])
    assert.ok([400, 409].includes(await world.act(id, action, world.admin)), JSON.stringify(action))
  await world.settle()
  await world.act(id, { lock: null })
  assert.equal(await live(auto, '2.68', world.manager), 409)
  assert.equal(await live(auto, '2.68'), 202, 'an admin may')
  await world.settle()
  await world.act(id, { 'os-stop': null }, world.admin)
  await world.settle()
  assert.equal(await live(auto, '2.68'), 409, 'it does not run')
})

test('forced, it goes where the filters would not have it, but not where there is no room', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  const { id } = await world.server()
  await world.settle()
  await world.addHost('host-2')
  await world.addHost('small', { memoryMb: 600 })
  await world.admin.compute.put('/os-services/disable', { host: 'host-2', binary: 'nova-compute' }, { version: '2.1' })
  const go = async (host: string, force: boolean) => {
    const ask = { host, block_migration: 'auto', force }
    assert.equal(await world.act(id, { 'os-migrateLive': ask }, world.admin, '2.67'), 202)
    await world.settle()
    return (await world.show(id, world.admin))['OS-EXT-SRV-ATTR:host']
  }
  assert.equal(await go('host-2', false), 'host-1')
  assert.equal(await go('small', true), 'host-1')
  assert.equal(await go('host-2', true), 'host-2')
  const history = await world.cloud.work.history(id)
  assert.ok(history.some((row) => row.detail.includes('ComputeFilter: the service is disabled')))
})
