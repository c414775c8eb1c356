import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'
import { second } from '../../../kit/clock.ts'

const make = async ({ image }: Client, more: object) =>
  (await image.post('/images', { disk_format: 'raw', container_format: 'bare', ...more })).body
const names = async ({ image }: Client, query: string) => {
  const { status, body } = await image.get(`/images?${query}`)
  return status === 200 ? body.images.map(({ name }: { name: string }) => name).join(' ') : status
}

test('every attribute filters: exactly, one of several, compared, and custom properties by their name', async (t) => {
  const { member, clock } = await testCloud(t)
  const a = await make(member, { name: 'a', min_ram: 64, min_disk: 1, protected: true, color: 'red' })
  clock.advance(10 * second)
  await make(member, { name: 'b,c', disk_format: 'qcow2', container_format: 'ovf', os_hidden: true })
  await make(member, { name: 'd', disk_format: 'iso', color: 'blue' })
  await member.image.put(`/images/${a.id}/file`, Buffer.from('12345'))
  const whole = (await member.image.get(`/images/${a.id}`)).body
  const sorted = (query: string) => names(member, `sort=name:asc&${query}`)
  for (const [query, expected] of [
    ['', 'a d'],
    ['os_hidden=true', 'b,c'],
    ['os_hidden=false', 'a d'],
    ['name=a', 'a'],
    ['name=A', ''],
    ['name=in:a,d', 'a d'],
    ['os_hidden=true&name=in:"b,c",x', 'b,c'],
    [`id=${a.id}`, 'a'],
    [`id=in:${a.id},nothing`, 'a'],
    ['status=active', 'a'],
    ['status=in:active,queued', 'a d'],
    ['disk_format=in:raw,iso', 'a d'],
    ['disk_format=iso', 'd'],
    ['container_format=bare', 'a d'],
    ['size_min=5', 'a'],
    ['size_min=6', ''],
    ['size_max=5', 'a'],
    ['min_ram=64', 'a'],
    ['min_disk=1', 'a'],
    ['protected=true', 'a'],
    ['protected=false', 'd'],
    [`checksum=${whole.checksum}`, 'a'],
    [`os_hash_value=${whole.os_hash_value}`, 'a'],
    [`owner=${whole.owner}`, 'a d'],
    ['owner=nobody', ''],
    [`created_at=${a.created_at}`, 'a'],
    [`created_at=neq:${a.created_at}`, 'd'],
    [`created_at=gt:${a.created_at}`, 'd'],
    [`created_at=gte:${a.created_at}`, 'a d'],
    [`created_at=lte:${a.created_at}`, 'a'],
    [`created_at=lt:${a.created_at}`, ''],
    ['color=red', 'a'],
    ['color=red&min_ram=64', 'a'],
    ['color=green', ''],
    ['visibility=shared', 'a d'],
    ['visibility=private', ''],
    ['visibility=all', 'a d'],
  ] as const)
    assert.equal(await sorted(query), expected, query)
  for (const bad of [
    'size_min=x',
    'min_ram=x',
    'created_at=soon',
    'created_at=after:2026-01-01',
    'visibility=secret',
    'member_status=maybe',
    'os_hidden=perhaps',
    'changes-since=2026-01-01',
    'limit=-1',
    'limit=x',
    'name=in:"a',
  ])
    assert.equal(await sorted(bad), 400, bad)
})

test('lists are sorted by several keys, downwards where nothing is said, in one way of saying it', async (t) => {
  const { member } = await testCloud(t)
  for (const [name, format] of [
    ['a', 'raw'],
    ['b', 'raw'],
    ['c', 'qcow2'],
  ])
    await make(member, { name, disk_format: format })
  for (const [query, expected] of [
    ['', 'c b a'],
    ['sort_dir=asc', 'a b c'],
    ['sort_key=name', 'c b a'],
    ['sort_key=name&sort_dir=asc', 'a b c'],
    ['sort=name', 'c b a'],
    ['sort=disk_format:asc,name:desc', 'c b a'],
    ['sort=disk_format,name:asc', 'a b c'],
    ['sort_key=disk_format&sort_dir=desc&sort_key=name&sort_dir=desc', 'b a c'],
    ['sort_key=disk_format&sort_key=name&sort_dir=asc', 'c a b'],
    ['sort=name&sort_key=name', 400],
    ['sort_key=name&sort_dir=asc&sort_dir=desc', 400],
    ['sort=name:up', 400],
    ['sort_key=owner', 400],
  ] as const)
    assert.equal(await names(member, query), expected, query)
})

test('pages follow each other to the end, by the links, with 25 where nothing is said', async (t) => {
  const { member } = await testCloud(t)
  for (let n = 0; n < 27; n++) await make(member, { name: `n${n}` })
  const seen: string[] = []
  let [next, pages]: [string | undefined, number] = ['/v2/images?sort=name:asc', 0]
  for (; next !== undefined; pages++) {
    const { body } = await member.image.get(`/${next}`)
    seen.push(...body.images.map(({ name }: { name: string }) => name))
    assert.equal(body.first, '/v2/images?sort=name%3Aasc')
    next = body.next
  }
  assert.deepEqual([seen.length, new Set(seen).size, pages], [27, 27, 2])
  assert.equal((await member.image.get('/images?limit=0')).body.images.length, 0)
  assert.equal((await member.image.get('/images?limit=5000')).body.images.length, 27)
})

test('other projects: public ones are listed, community ones when asked for, shared ones as they were answered', async (t) => {
  const { admin, member, stranger } = await testCloud(t)
  await make(admin, { name: 'public', visibility: 'public' })
  await make(member, { name: 'community', visibility: 'community' })
  await make(member, { name: 'private', visibility: 'private' })
  const shared = await make(member, { name: 'shared' })
  const project = stranger.caller.projectId
  await member.image.post(`/images/${shared.id}/members`, { member: project })
  const list = (query: string) => names(stranger, `sort=name:asc&${query}`)
  assert.equal(await list(''), 'public')
  assert.equal(await list('visibility=community'), 'community')
  assert.equal(await list('visibility=shared'), '')
  assert.equal(await list('visibility=shared&member_status=pending'), 'shared')
  assert.equal(await list('visibility=all&member_status=all'), 'community public shared')
  assert.equal(await list('visibility=private'), '')
  assert.equal(await list(`owner=${member.caller.projectId}`), '')
  await stranger.image.put(`/images/${shared.id}/members/${project}`, { status: 'accepted' })
  assert.equal(await list(''), 'public shared')
  await stranger.image.put(`/images/${shared.id}/members/${project}`, { status: 'rejected' })
  assert.equal(await list(''), 'public')
  assert.equal(await list('member_status=rejected'), 'public shared')
  assert.equal(await names(admin, 'sort=name:asc&visibility=private'), 'private')
})
