import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type Client, type Json, type TestCloudOptions, testCloud } from '../../../../test/cloud.ts'
import { type Blobs, memoryBlobs } from '../../../drivers/blobs/index.ts'
import { minute } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { openFetch } from '../../../kit/fetch/fetch.ts'
import { qcow2 } from '../inspect/samples.ts'

const raw = { disk_format: 'raw', container_format: 'bare' }
const make = async (client: Client, more: object = {}): Promise<string> =>
  (await client.image.post('/images', { ...raw, ...more })).body.id
const show = async (client: Client, id: string) => (await client.image.get(`/images/${id}`)).body
const stage = (client: Client, id: string, bytes: Uint8Array) => client.image.put(`/images/${id}/stage`, bytes)
const direct = { method: { name: 'glance-direct' } }
const web = (uri: string) => ({ method: { name: 'web-download', uri } })
const bring = (client: Client, id: string, body: object, headers: Record<string, string> = {}) =>
  client.image.post(`/images/${id}/import`, body, { headers })
const lastTask = async (client: Client, id: string) => (await client.image.get(`/images/${id}/tasks`)).body.tasks[0]
const fetch = openFetch({ allowedNetworks: ['127.0.0.1'], allowedPorts: 'any' })
const store = (id: string, blobs: Blobs = memoryBlobs()) => ({ id, type: 'mem', blobs }) as const
const full = (): Blobs => ({
  ...memoryBlobs(),
  write: async () => {
    throw new Problem('unavailable', 'There is no room for these bytes.', { code: 'storage-full' })
  },
})

async function world(t: TestContext, image: TestCloudOptions['image'] = {}) {
  const cloud = await testCloud(t, { image: { fetch, ...image } })
  const audit = async () => {
    const { exists, holds } = await cloud.cloud.services.image.audit!()
    assert.deepEqual(holds.blob?.sort(), exists.blob?.sort())
    return holds.blob!.length
  }
  return { ...cloud, audit }
}

async function site(t: TestContext, files: Record<string, Buffer>): Promise<string> {
  const app = createServer((request, answer) => {
    const file = files[request.url!]
    if (file) answer.end(file)
    else answer.writeHead(404).end()
  })
  t.after(() => void app.close().closeAllConnections())
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(app.address() as AddressInfo).port}`
}

test('staged bytes are imported: uploading, importing, active', async (t) => {
  const { member, settle, audit } = await world(t)
  const id = await make(member)
  assert.equal((await bring(member, id, direct)).status, 409)
  assert.equal((await stage(member, id, Buffer.from('hello'))).status, 204)
  assert.deepEqual([(await show(member, id)).status, (await show(member, id)).checksum], ['uploading', null])
  assert.equal((await stage(member, id, Buffer.from('again'))).status, 409)
  assert.equal((await member.image.put(`/images/${id}/file`, Buffer.from('x'))).status, 409)
  const asked = await bring(member, id, direct)
  assert.deepEqual([asked.status, asked.headers['openstack-image-store-ids']], [202, 'local'])
  assert.equal((await bring(member, id, direct)).status, 409)
  await settle()
  const image = await show(member, id)
  assert.deepEqual(
    [image.status, image.size, image.checksum, image.stores, image.os_glance_importing_to_stores, image.os_glance_failed_import],
    ['active', 5, '5d41402abc4b2a76b9719d911017c592', 'local', '', ''],
  )
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'hello')
  const task = await lastTask(member, id)
  assert.deepEqual([task.type, task.status, task.image_id, task.message], ['api_image_import', 'success', id, ''])
  assert.equal(await audit(), 1)
})

test('a web download comes in through the guarded door and is judged like an upload', async (t) => {
  const url = await site(t, { '/good': Buffer.from('bytes'), '/bad': qcow2({ backing: 200 }) })
  const { member, settle, audit } = await world(t)
  const id = await make(member)
  for (const uri of ['file:///etc/passwd', 'http://10.0.0.1/x', 'http://a:b@127.0.0.1/', 'nonsense'])
    assert.equal((await bring(member, id, web(uri))).status, 400, uri)
  assert.equal((await bring(member, id, web(`${url}/good`))).status, 202)
  await settle()
  assert.deepEqual([(await show(member, id)).status, (await show(member, id)).size], ['active', 5])
  for (const [path, disk, message] of [
    ['/bad', 'qcow2', /backing file/],
    ['/missing', 'raw', /answered 404/],
    ['/good', 'qcow2', /declared to be/],
  ] as const) {
    const other = await make(member, { disk_format: disk })
    await bring(member, other, web(url + path))
    await settle()
    const image = await show(member, other)
    assert.deepEqual([image.status, image.size, image.os_glance_failed_import], ['queued', null, 'local'], path)
    const task = await lastTask(member, other)
    assert.equal(task.status, 'failure')
    assert.match(task.message, message)
  }
  assert.equal(await audit(), 1)
})

test('an import goes to all stores asked for, or to those that can take it, as was said', async (t) => {
  const { member, settle, audit } = await world(t, { stores: [store('second'), store('full', full())] })
  const [one, two, three] = [await make(member), await make(member), await make(member)]
  for (const id of [one, two, three]) await stage(member, id, Buffer.from('hello'))
  assert.equal((await bring(member, one, { ...direct, stores: ['nowhere'] })).status, 409)
  assert.equal((await bring(member, one, { ...direct, stores: ['second'], all_stores: true })).status, 400)
  await bring(member, one, { ...direct, stores: ['second'] })
  await bring(member, two, { ...direct, all_stores: true, all_stores_must_succeed: false })
  await bring(member, three, { ...direct, all_stores: true })
  await settle()
  assert.deepEqual([(await show(member, one)).status, (await show(member, one)).stores], ['active', 'second'])
  assert.equal((await member.image.get(`/images/${one}/file`)).body, 'hello')
  const partly = await show(member, two)
  assert.deepEqual([partly.status, partly.stores, partly.os_glance_failed_import], ['active', 'local,second', 'full'])
  const failed = await show(member, three)
  assert.deepEqual([failed.status, failed.stores, failed.size], ['queued', undefined, null])
  assert.equal((await lastTask(member, three)).status, 'failure')
  assert.equal(await audit(), 2)
})

test('an image is copied to further stores and taken out of them, but not out of the last', async (t) => {
  const second = memoryBlobs()
  const { admin, member, settle, audit } = await world(t, { stores: [store('second', second)] })
  const id = await make(member)
  const copying = { method: { name: 'copy-image' }, stores: ['second'] }
  assert.equal((await bring(admin, id, copying)).status, 409)
  await member.image.put(`/images/${id}/file`, Buffer.from('hello'))
  assert.equal((await bring(member, id, copying)).status, 403)
  assert.equal((await bring(admin, id, copying)).status, 202)
  await settle()
  assert.equal((await show(member, id)).stores, 'local,second')
  assert.equal((await bring(admin, id, copying)).status, 400)
  assert.equal((await member.image.delete(`/stores/local/${id}`)).status, 403)
  assert.equal((await admin.image.delete(`/stores/nowhere/${id}`)).status, 409)
  assert.equal((await admin.image.delete(`/stores/second/${id}`)).status, 204)
  await settle()
  assert.deepEqual(await second.list(), [])
  assert.equal((await admin.image.delete(`/stores/second/${id}`)).status, 404)
  assert.equal((await admin.image.delete(`/stores/local/${id}`)).status, 403)
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'hello')
  assert.equal(await audit(), 1)
})

test('who downloads may say which stores are tried first', async (t) => {
  const second = memoryBlobs()
  const { member, settle } = await world(t, { stores: [store('second', second)] })
  const id = await make(member)
  await stage(member, id, Buffer.from('hello'))
  await bring(member, id, { ...direct, all_stores: true })
  await settle()
  const [blob] = await second.list()
  await second.remove(blob!)
  await second.write(blob!, Readable.from([Buffer.from('other')]), { maxBytes: 10 })
  const read = async (prefer: string) => (await member.image.get(`/images/${id}/file${prefer}`)).body
  assert.deepEqual(await Promise.all(['', '?prefer=second', '?prefer=local,%20second', '?prefer='].map(read)), [
    'hello',
    'other',
    'hello',
    'hello',
  ])
  assert.equal((await member.image.get(`/images/${id}/file?prefer=nowhere`)).status, 400)
})

test('OSSA-2015-004, OSSA-2015-013: an image deleted during its import, or before it, leaves nothing', async (t) => {
  const url = await site(t, { '/good': Buffer.from('bytes') })
  const { member, settle, audit, clock } = await world(t)
  const [staged, importing] = [await make(member), await make(member)]
  await stage(member, staged, Buffer.from('x'))
  await bring(member, importing, web(`${url}/good`))
  for (const id of [staged, importing]) assert.equal((await member.image.delete(`/images/${id}`)).status, 204)
  await settle()
  clock.advance(minute)
  await settle()
  assert.equal(await audit(), 0)
})

test('OSSN-0105: the tasks API makes images through the same door', async (t) => {
  const url = await site(t, { '/good': Buffer.from('bytes') })
  const { admin, member, settle } = await world(t)
  const body = (from: string) => ({
    type: 'import',
    input: { import_from: from, import_from_format: 'raw', image_properties: { name: 'made' } },
  })
  assert.equal((await member.image.post('/tasks', body(`${url}/good`))).status, 403)
  for (const from of ['http://169.254.169.254/latest', 'file:///etc/passwd'])
    assert.equal((await admin.image.post('/tasks', body(from))).status, 400)
  for (const bad of [{ type: 'import' }, { input: {} }, { type: 'export', input: {} }, { type: 'import', input: {} }])
    assert.equal((await admin.image.post('/tasks', bad)).status, 400, JSON.stringify(bad))
  const made = await admin.image.post('/tasks', body(`${url}/good`))
  assert.deepEqual([made.status, made.body.status, made.headers['location']], [201, 'pending', `/v2/tasks/${made.body.id}`])
  await settle()
  const { body: task } = await admin.image.get(`/tasks/${made.body.id}`)
  assert.deepEqual([task.status, task.result], ['success', { image_id: task.image_id }])
  assert.deepEqual([(await show(admin, task.image_id)).name, (await show(admin, task.image_id)).status], ['made', 'active'])
  const listed = await admin.image.get('/tasks?limit=1&type=import&status=success')
  assert.deepEqual([listed.body.tasks.length, listed.body.tasks[0].input], [1, undefined])
  for (const visibility of ['public', 'community']) {
    const input = { ...body(`${url}/good`).input, image_properties: { visibility } }
    const asked = await admin.image.post('/tasks', { type: 'import', input })
    await settle()
    const { image_id } = (await admin.image.get(`/tasks/${asked.body.id}`)).body
    assert.deepEqual([asked.status, (await show(member, image_id)).visibility], [201, visibility])
  }
  assert.equal((await admin.image.get('/tasks?status=nonsense')).status, 400)
  assert.equal((await member.image.get(`/tasks/${task.id}`)).status, 403)
  assert.equal((await admin.image.delete(`/tasks/${task.id}`)).status, 405)
})

test('a task that ended is forgotten after two days', async (t) => {
  const { member, settle, clock } = await world(t)
  const id = await make(member)
  await stage(member, id, Buffer.from('x'))
  await bring(member, id, direct)
  await settle()
  assert.match((await lastTask(member, id)).expires_at, /^2026-01-03T/)
  clock.advance(49 * 60 * minute)
  await settle()
  assert.equal(await lastTask(member, id), undefined)
})

test('bad import requests are told what is wrong', async (t) => {
  const { member, reader, stranger } = await world(t)
  const id = await make(member)
  for (const body of [{}, { method: 'x' }, { method: {} }, { method: { name: 'ftp' } }, { method: { name: 'web-download' } }])
    assert.equal((await bring(member, id, body)).status, 400, JSON.stringify(body))
  const bare = (await member.image.post('/images', { name: 'bare' })).body.id
  assert.equal((await bring(member, bare, web('http://example.org/x'))).status, 409)
  assert.equal((await bring(reader, id, web('http://example.org/x'))).status, 403)
  assert.equal((await bring(stranger, id, web('http://example.org/x'))).status, 404)
  assert.equal((await member.image.put(`/images/${id}/stage`, {})).status, 415)
  assert.equal((await reader.image.put(`/images/${id}/stage`, Buffer.from('x'))).status, 403)
})

test('what may be imported, and where to, is told', async (t) => {
  const { admin, member } = await world(t, { stores: [{ ...store('second'), description: 'slow' }] })
  assert.deepEqual((await member.image.get('/info/import')).body['import-methods'].value, [
    'glance-direct',
    'web-download',
    'copy-image',
  ])
  assert.deepEqual((await member.image.get('/info/stores')).body.stores, [
    { id: 'local', default: 'true' },
    { id: 'second', description: 'slow' },
  ])
  assert.equal((await member.image.get('/info/stores/detail')).status, 403)
  assert.equal((await admin.image.get('/info/stores/detail')).body.stores[0].type, 'mem')
  const made = await member.image.post('/images', {})
  assert.equal(made.headers['openstack-image-import-methods'], 'glance-direct,web-download,copy-image')
  assert.equal((await member.image.get('/schemas/task')).body.name, 'task')
  assert.equal((await member.image.get('/schemas/tasks')).body.name, 'tasks')
})

test('OSSN-0065, OSSN-0090: a location is where bytes come from once, and only services learn where they lie', async (t) => {
  const files: Record<string, Buffer> = { '/good': Buffer.from('bytes') }
  const url = await site(t, files)
  const { member, reader, stranger, admin, service, settle } = await world(t)
  const id = await make(member)
  const add = (client: Client, body: object, image = id) => client.image.post(`/images/${image}/locations`, body)
  const good = { url: `${url}/good` }
  for (const bad of ['file:///etc/passwd', 'http://10.0.0.1/', 'cinder://x', 'swift://x'])
    assert.equal((await add(member, { url: bad })).status, 400, bad)
  for (const data of [{ os_hash_algo: 'md5', os_hash_value: 'x' }, { os_hash_value: 'x' }])
    assert.equal((await add(member, { ...good, validation_data: data })).status, 400)
  assert.deepEqual([(await add(reader, good)).status, (await add(stranger, good)).status], [403, 404])
  const wrong = await make(member)
  await add(member, { ...good, validation_data: { os_hash_algo: 'sha512', os_hash_value: '0'.repeat(128) } }, wrong)
  const asked = await add(member, good)
  assert.deepEqual([asked.status, asked.body.url], [202, good.url])
  await settle()
  assert.deepEqual([(await show(member, id)).status, (await show(member, wrong)).status], ['active', 'queued'])
  assert.equal((await lastTask(member, id)).type, 'location_import')
  files['/good'] = Buffer.from('other')
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'bytes')
  assert.equal((await add(member, good)).status, 409)
  const found = (await service.image.get(`/images/${id}/locations`)).body
  assert.deepEqual([found.length, found[0].metadata], [1, { store: 'local' }])
  assert.deepEqual((await service.image.get(`/images/${wrong}/locations`)).body, [])
  assert.deepEqual(
    [(await member.image.get(`/images/${id}/locations`)).status, (await admin.image.get(`/images/${id}/locations`)).status],
    [403, 200],
  )
})

test('a copy to stores that all have the image says that it is done', async (t) => {
  const { admin, settle, audit } = await world(t)
  const id = await make(admin)
  await admin.image.put(`/images/${id}/file`, Buffer.from('x'))
  const body = { method: { name: 'copy-image' }, all_stores: true, all_stores_must_succeed: false }
  assert.equal((await bring(admin, id, body)).status, 202)
  await settle()
  const image = await show(admin, id)
  assert.deepEqual(
    [image.status, image.stores, image.os_glance_importing_to_stores, image.os_glance_failed_import],
    ['active', 'local', '', ''],
  )
  assert.equal((await lastTask(admin, id)).status, 'success')
  assert.equal(await audit(), 1)
})

/** A cloud whose catalog has a second region, where these files are. */
async function regions(t: TestContext, files: Record<string, Buffer>, image: TestCloudOptions['image'] = {}) {
  const heard: string[] = []
  const app = createServer((request, answer) => {
    heard.push(`${request.url} ${request.headers['x-auth-token']}`)
    const file = files[request.url!]
    if (file) answer.end(file)
    else answer.writeHead(404).end()
  })
  t.after(() => void app.close().closeAllConnections())
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const cloud = await testCloud(t, { identity: true, image: { importMethods: ['glance-download'], ...image } })
  const { identity } = cloud.admin
  const service_id = (await identity.get('/services?type=image')).body.services[0].id
  await identity.post('/regions', { region: { id: 'RegionTwo' } })
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`
  const made = await identity.post('/endpoints', { endpoint: { service_id, interface: 'public', url, region_id: 'RegionTwo' } })
  assert.equal(made.status, 201)
  return { ...cloud, heard }
}

const thereId = '36d4b546-64a2-4bb9-bdd0-ba676aa48f2c'
const there = (more: object = {}) =>
  Buffer.from(
    JSON.stringify({
      status: 'active',
      size: 5,
      ...raw,
      hw_cpu_cores: '5',
      os_distro: 'x',
      speed: '88',
      os_glance_x: 'y',
      ...more,
    }),
  )
const download = (more: object = {}) => ({
  method: { name: 'glance-download', glance_region: 'regiontwo', glance_image_id: thereId, ...more },
})

test('an image of another region comes with its formats and what its hardware needs, by the token of who asked, which is forgotten then', async (t) => {
  const files = { [`/v2/images/${thereId}`]: there(), [`/v2/images/${thereId}/file`]: Buffer.from('hello') }
  const { cloud, member, settle, heard } = await regions(t, files)
  const id = await make(member, { disk_format: 'iso', container_format: 'ovf', os_distro: 'old', mine: '1' })
  assert.equal((await bring(member, id, download())).status, 202)
  assert.deepEqual([(await show(member, id)).status, (await show(member, id)).disk_format], ['importing', 'iso'])
  await settle()
  const image = await show(member, id)
  assert.deepEqual([image.status, image.size, image.disk_format, image.container_format], ['active', 5, 'raw', 'bare'])
  assert.deepEqual(
    [image.hw_cpu_cores, image.os_distro, image.mine, image.speed, image.os_glance_x],
    ['5', 'x', '1', undefined, undefined],
  )
  const [, token] = heard[0]!.split(' ')
  assert.ok(token !== undefined && token !== 'undefined')
  assert.deepEqual(heard, [`/v2/images/${thereId} ${token}`, `/v2/images/${thereId}/file ${token}`])
  const rows = await (cloud.db.read as never as { selectFrom(table: string): Json })
    .selectFrom('image_task')
    .selectAll()
    .execute()
  assert.equal(JSON.stringify(rows).includes(token), false)
})

test('an image of another region that is not to be had leaves a queued image as it was', async (t) => {
  const files: Record<string, Buffer> = { [`/v2/images/${thereId}/file`]: Buffer.from('hello') }
  const { member, settle } = await regions(t, files)
  const fails = async (body: object, why: RegExp) => {
    const id = await make(member, { os_distro: 'old' })
    assert.equal((await bring(member, id, body)).status, 202)
    await settle()
    const image = await show(member, id)
    assert.deepEqual([image.status, image.os_distro, image.hw_cpu_cores], ['queued', 'old', undefined])
    const task = await lastTask(member, id)
    assert.equal(task.status, 'failure')
    assert.match(task.message, why)
  }
  await fails(download({ glance_region: 'nowhere' }), /no image service .* in region nowhere/)
  await fails(download({ glance_service_interface: 'internal' }), /no image service with interface internal/)
  await fails(download(), /answered 404/)
  for (const [document, why] of [
    [there({ status: 'queued' }), /not active/],
    [there({ size: null }), /no size/],
    [there({ size: 6 }), /sent 5 bytes of 6/],
    [there({ size: 4 }), /more than 4 bytes/],
    [there({ disk_format: 'qcow2' }), /declared to be qcow2/],
    [Buffer.from('no JSON'), /no image/],
  ] as const) {
    files[`/v2/images/${thereId}`] = document
    await fails(download(), why)
  }
})

test('what a caller may not set on an image does not come from another region either', async (t) => {
  const files = { [`/v2/images/${thereId}`]: there(), [`/v2/images/${thereId}/file`]: Buffer.from('hello') }
  const own = { names: /hw_/, create: ['admin'], read: ['@'], update: ['admin'], delete: ['admin'] }
  const rest = { names: /.*/, create: ['@'], read: ['@'], update: ['@'], delete: ['@'] }
  const { member, settle } = await regions(t, files, { propertyProtections: [own, rest] })
  const id = await make(member)
  assert.equal((await bring(member, id, download())).status, 202)
  await settle()
  assert.equal((await show(member, id)).status, 'queued')
  assert.match((await lastTask(member, id)).message, /hw_cpu_cores/)
})

test('a download from another region says which image, as a UUID, and where', async (t) => {
  const { member } = await regions(t, {})
  const id = await make(member)
  for (const [more, why] of [
    [{ glance_image_id: 'foo' }, /image id does not look like a UUID/],
    [{ glance_image_id: undefined }, /glance_image_id/],
    [{ glance_region: undefined }, /glance_region/],
    [{ glance_service_interface: 3 }, /glance_service_interface/],
  ] as const) {
    const { status, body } = await bring(member, id, download(more))
    assert.equal(status, 400)
    assert.match(JSON.stringify(body), why)
  }
})
