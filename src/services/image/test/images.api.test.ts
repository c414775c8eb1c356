import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'

const raw = { disk_format: 'raw', container_format: 'bare' }
const patchType = { headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } }
const json = { headers: { accept: 'application/json' } }
const make = async (client: Client, more: object = {}) =>
  (await client.image.post('/images', { name: 'i', ...raw, ...more })).body
const upload = (client: Client, id: string, bytes: Uint8Array) => client.image.put(`/images/${id}/file`, bytes)
const patch = (client: Client, id: string, ...operations: object[]) => client.image.patch(`/images/${id}`, operations, patchType)
const names = async (client: Client, query = '') =>
  (await client.image.get(`/images?limit=100${query}`)).body.images.map((image: { name: string }) => image.name)

test('an image is created, filled, shown and downloaded with its sums', async (t) => {
  const { member } = await testCloud(t)
  const made = await member.image.post('/images', { name: 'web', ...raw, min_ram: 64, tags: ['a'], os: 'mini' })
  assert.equal(made.status, 201)
  const { id } = made.body
  assert.match(made.headers['location']!, new RegExp(`/v2/images/${id}$`))
  assert.deepEqual(
    [made.body.status, made.body.size, made.body.checksum, made.body.visibility, made.body.os],
    ['queued', null, null, 'shared', 'mini'],
  )
  assert.equal((await upload(member, id, Buffer.from('hello'))).status, 204)
  const { body } = await member.image.get(`/images/${id}`)
  assert.deepEqual(
    [body.status, body.size, body.virtual_size, body.checksum],
    ['active', 5, 5, '5d41402abc4b2a76b9719d911017c592'],
  )
  assert.deepEqual([body.os_hash_algo, body.os_hash_value.length], ['sha512', 128])
  const whole = await member.image.get(`/images/${id}/file`)
  assert.deepEqual([whole.status, whole.body, whole.headers['content-md5']], [200, 'hello', body.checksum])
  const part = await member.image.get(`/images/${id}/file`, { headers: { range: 'bytes=1-3' } })
  assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, 'ell', 'bytes 1-3/5'])
  assert.equal((await member.image.get(`/images/${id}/file`, { headers: { range: 'bytes=9-' } })).status, 416)
  assert.equal((await upload(member, id, Buffer.from('again'))).status, 409)
})

test('an image without bytes downloads as nothing, and bytes need formats and the right content type', async (t) => {
  const { member } = await testCloud(t)
  const { id } = await make(member)
  assert.equal((await member.image.get(`/images/${id}/file`)).status, 204)
  assert.equal((await member.image.put(`/images/${id}/file`, {})).status, 415)
  const bare = (await member.image.post('/images', { name: 'none' })).body
  assert.equal((await upload(member, bare.id, Buffer.from('x'))).status, 400)
})

test('content that is not what was declared, or points outside itself, is refused and leaves nothing', async (t) => {
  const { member, cloud } = await testCloud(t)
  const backed = Buffer.alloc(512)
  backed.write('QFI\xfb', 'latin1')
  backed.writeUInt32BE(2, 4)
  backed.writeBigUInt64BE(400n, 8)
  for (const [declared, bytes] of [
    ['qcow2', Buffer.from('no qcow2')],
    ['raw', backed],
    ['qcow2', backed],
  ] as const) {
    const { id } = await make(member, { disk_format: declared })
    assert.equal((await upload(member, id, bytes)).status, 415, declared)
    const { body } = await member.image.get(`/images/${id}`)
    assert.deepEqual([body.status, body.size], ['queued', null])
  }
  assert.deepEqual((await cloud.services.image.audit!()).holds.blob, [])
})

test('who sees which image, and who may change it', async (t) => {
  const { admin, member, reader, stranger } = await testCloud(t)
  const shared = await make(member, { name: 'shared' })
  const hidden = await make(member, { name: 'private', visibility: 'private' })
  await make(admin, { name: 'public', visibility: 'public' })
  await make(member, { name: 'community', visibility: 'community' })
  assert.deepEqual(await names(stranger), ['public'])
  assert.deepEqual(await names(stranger, '&visibility=community'), ['community'])
  assert.deepEqual((await names(reader)).sort(), ['community', 'private', 'public', 'shared'])
  assert.equal((await stranger.image.get(`/images/${hidden.id}`)).status, 404)
  assert.equal((await patch(stranger, hidden.id, { op: 'replace', path: '/name', value: 'x' })).status, 404)
  assert.equal((await patch(reader, shared.id, { op: 'replace', path: '/name', value: 'x' })).status, 403)
  assert.equal((await member.image.post('/images', { visibility: 'public' })).status, 403)
  assert.equal((await member.image.post('/images', { owner: stranger.caller.projectId })).status, 403)
  assert.equal((await reader.image.post('/images', {})).status, 403)
})

test('a shared image reaches a member, who answers; the others are not told', async (t) => {
  const { member, stranger, newProject } = await testCloud(t)
  const third = newProject()
  const { id } = await make(member)
  const project = stranger.caller.projectId
  assert.equal((await member.image.post(`/images/${id}/members`, { member: project })).body.status, 'pending')
  assert.equal((await member.image.post(`/images/${id}/members`, { member: project })).status, 409)
  await member.image.post(`/images/${id}/members`, { member: third.caller.projectId })
  assert.equal((await stranger.image.get(`/images/${id}`)).status, 200)
  assert.deepEqual(await names(stranger), [])
  assert.deepEqual(await names(stranger, '&member_status=pending'), ['i'])
  assert.equal((await member.image.put(`/images/${id}/members/${project}`, { status: 'accepted' })).status, 403)
  assert.equal((await stranger.image.put(`/images/${id}/members/${project}`, { status: 'accepted' })).body.status, 'accepted')
  assert.deepEqual(await names(stranger), ['i'])
  assert.equal((await stranger.image.get(`/images/${id}/members`)).body.members.length, 1)
  assert.equal((await stranger.image.delete(`/images/${id}/members/${third.caller.projectId}`)).status, 403)
  assert.equal((await member.image.delete(`/images/${id}/members/${project}`)).status, 204)
  assert.equal((await stranger.image.get(`/images/${id}`)).status, 404)
})

test('JSON patch: add, replace, remove, and what must not be touched', async (t) => {
  const { member } = await testCloud(t)
  const { id } = await make(member, { a: '1' })
  const done = await patch(
    member,
    id,
    { op: 'add', path: '/b~1c', value: '2' },
    { op: 'replace', path: '/name', value: 'n' },
    { op: 'remove', path: '/a' },
    { op: 'replace', path: '/tags', value: ['t', 't'] },
  )
  assert.deepEqual(
    [done.status, done.body['b/c'], done.body.name, done.body.a, done.body.tags],
    [200, '2', 'n', undefined, ['t']],
  )
  for (const [operation, status] of [
    [{ op: 'replace', path: '/status', value: 'active' }, 403],
    [{ op: 'remove', path: '/name' }, 403],
    [{ op: 'remove', path: '/nothing' }, 409],
    [{ op: 'replace', path: '/id', value: 'x' }, 403],
    [{ op: 'add', path: '/min_ram', value: -1 }, 400],
    [{ op: 'add', path: '/b', value: 7 }, 400],
    [{ op: 'add', path: '/tags/-', value: 't' }, 400],
    [{ op: 'add', path: '/locations/-', value: { url: 'file:///etc/passwd', metadata: {} } }, 403],
    [{ op: 'replace', path: '/locations', value: [] }, 403],
    [{ op: 'add', path: '/deleted', value: 'x' }, 403],
    [{ op: 'add', path: '/os_glance_x', value: 'x' }, 403],
    [{ op: 'replace', path: '/constructor', value: 'x' }, 409],
    [{ op: 'add', path: '/__proto__', value: 'x' }, 400],
    [{ op: 'replace', path: '/visibility', value: null }, 400],
    [{ op: 'add', path: '/b~2', value: 'x' }, 400],
    [{ op: 'move', path: '/b', value: '' }, 400],
    [{ op: 'add', path: 'b', value: '' }, 400],
    [{ op: 'add', path: '/b' }, 400],
  ] as const)
    assert.equal((await patch(member, id, operation)).status, status, JSON.stringify(operation))
  assert.equal((await member.image.patch(`/images/${id}`, [])).status, 415)
  await upload(member, id, Buffer.from('x'))
  assert.equal((await patch(member, id, { op: 'replace', path: '/disk_format', value: 'qcow2' })).status, 403)
})

test('a protected image is not deleted; a deleted one is gone with its bytes', async (t) => {
  const { member, cloud, settle } = await testCloud(t)
  const { id } = await make(member, { protected: true })
  await upload(member, id, Buffer.from('x'))
  assert.equal((await member.image.delete(`/images/${id}`)).status, 403)
  await patch(member, id, { op: 'replace', path: '/protected', value: false })
  assert.equal((await member.image.delete(`/images/${id}`)).status, 204)
  assert.equal((await member.image.get(`/images/${id}`)).status, 404)
  await settle()
  assert.deepEqual(await cloud.services.image.audit!(), { problems: [], exists: { blob: [] }, holds: { blob: [] } })
})

test('a deactivated image keeps its bytes to itself until it is reactivated', async (t) => {
  const { admin, member } = await testCloud(t)
  const { id } = await make(member)
  await upload(member, id, Buffer.from('x'))
  assert.equal((await admin.image.post(`/images/${id}/actions/deactivate`)).status, 204)
  assert.equal((await member.image.get(`/images/${id}/file`)).status, 403)
  assert.equal((await admin.image.post(`/images/${id}/actions/reactivate`)).status, 204)
  assert.equal((await member.image.get(`/images/${id}/file`)).status, 200)
})

test('a list is filtered, sorted and paged', async (t) => {
  const { member } = await testCloud(t)
  for (const name of ['c', 'a', 'b']) await make(member, { name, tags: name === 'a' ? ['x', 'y'] : ['x'], color: name })
  assert.deepEqual(await names(member, '&sort=name:asc'), ['a', 'b', 'c'])
  assert.deepEqual(await names(member), ['b', 'a', 'c'])
  assert.deepEqual(await names(member, '&tag=x&tag=y'), ['a'])
  assert.deepEqual(await names(member, '&color=b'), ['b'])
  assert.deepEqual((await names(member, '&name=in:a,c')).sort(), ['a', 'c'])
  assert.deepEqual(await names(member, '&status=active'), [])
  assert.deepEqual(await names(member, '&created_at=gt:2030-01-01'), [])
  const first = (await member.image.get('/images?limit=2&sort=name:asc')).body
  assert.match(first.next, /^\/v2\/images\?.*marker=/)
  const second = (await member.image.get(`/${first.next}`)).body
  assert.deepEqual([second.images.length, second.images[0].name, second.next], [1, 'c', undefined])
  for (const bad of ['limit=-1', 'sort_key=nonsense', 'sort_dir=up&sort_key=name', 'visibility=x', 'size_min=x', 'created_at=x'])
    assert.equal((await member.image.get(`/images?${bad}`)).status, 400, bad)
  assert.equal((await member.image.get('/images?marker=nonsense')).status, 404)
})

test('errors come in the form asked for', async (t) => {
  const { member } = await testCloud(t)
  const html = await member.image.get('/images/00000000-0000-4000-8000-000000000000')
  assert.deepEqual([html.status, html.headers['content-type']], [404, 'text/html; charset=UTF-8'])
  const asJson = await member.image.get('/images/00000000-0000-4000-8000-000000000000', json)
  assert.equal(asJson.body.code, '404 Not Found')
})

test('a path that ends with a slash names nothing, so an id left empty never means all images', async (t) => {
  const { member } = await testCloud(t)
  await make(member)
  assert.equal((await member.image.get('/images/')).status, 404)
  assert.equal((await member.image.delete('/images/')).status, 404)
})

test('versions and schemas are found', async (t) => {
  const { member, withToken } = await testCloud(t)
  const root = await withToken(undefined).image.get('//')
  assert.deepEqual([root.status, root.body.versions[0].status, root.body.versions[0].id], [300, 'CURRENT', 'v2.17'])
  assert.ok(!root.body.versions.some(({ id }: { id: string }) => id === 'v2.16'))
  assert.equal((await member.image.get('/schemas/image')).body.name, 'image')
  assert.equal((await member.image.get('/schemas/members')).body.name, 'members')
})
