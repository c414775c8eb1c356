import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'

const raw = { disk_format: 'raw', container_format: 'bare' }
const make = async ({ image }: Client, more: object = {}) => (await image.post('/images', { ...raw, ...more })).body
const patchType = { headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } }

test('OSSA-2015-002, OSSA-2014-041, OSSA-2014-012: there is no way to name a location, at creation or later', async (t) => {
  const { admin, member } = await testCloud(t)
  const locations = [{ url: 'file:///etc/passwd', metadata: {} }]
  for (const client of [admin, member]) {
    for (const body of [{ locations }, { location: 'file:///etc/passwd' }, { direct_url: 'file:///etc/passwd' }])
      assert.equal((await client.image.post('/images', { ...raw, ...body })).status, 403, JSON.stringify(body))
    const { id } = await make(client)
    for (const operation of [
      { op: 'add', path: '/locations/-', value: locations[0] },
      { op: 'add', path: '/locations/0', value: locations[0] },
      { op: 'replace', path: '/locations', value: locations },
      { op: 'remove', path: '/locations/0' },
    ])
      assert.equal((await client.image.patch(`/images/${id}`, [operation], patchType)).status, 403, JSON.stringify(operation))
    const { body } = await client.image.get(`/images/${id}`)
    assert.ok(!('locations' in body || 'direct_url' in body))
  }
})

test('OSSA-2015-019: headers and bodies that name a status or sums are refused or say nothing', async (t) => {
  const { member } = await testCloud(t)
  const { id } = await make(member)
  await member.image.put(`/images/${id}/file`, Buffer.from('x'))
  assert.equal((await member.image.post(`/images/${id}/actions/deactivate`)).status, 204)
  await member.image.put(`/images/${id}/file`, Buffer.from('y'), { headers: { 'x-image-meta-status': 'active' } })
  for (const name of [
    'status',
    'size',
    'virtual_size',
    'checksum',
    'os_hash_value',
    'os_hash_algo',
    'created_at',
    'updated_at',
    'id',
    'self',
    'file',
  ])
    for (const op of ['add', 'replace'])
      assert.equal(
        (await member.image.patch(`/images/${id}`, [{ op, path: `/${name}`, value: 'active' }], patchType)).status,
        403,
        name,
      )
  assert.equal((await member.image.get(`/images/${id}`)).body.status, 'deactivated')
  assert.equal((await member.image.post('/images', { ...raw, status: 'active' })).status, 403)
})

test('OSSA-2016-006: the bytes of an image that was active never change, whatever is done to it', async (t) => {
  const { member, settle } = await testCloud(t)
  const { id } = await make(member)
  await member.image.put(`/images/${id}/file`, Buffer.from('first'))
  const again = () => member.image.put(`/images/${id}/file`, Buffer.from('second'))
  assert.equal((await again()).status, 409)
  await member.image.post(`/images/${id}/actions/deactivate`)
  assert.equal((await again()).status, 409)
  await member.image.post(`/images/${id}/actions/reactivate`)
  assert.equal((await again()).status, 409)
  await settle()
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'first')
  await member.image.delete(`/images/${id}`)
  assert.equal((await member.image.post('/images', { ...raw, id })).status, 409)
  assert.equal((await again()).status, 404)
})

test('OSSA-2015-004, OSSA-2015-013: after a storm of uploads, refusals and deletions the store holds what the images are', async (t) => {
  const { member, cloud, settle, clock } = await testCloud(t)
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await make(member)).id as string))
  const backed = Buffer.alloc(600)
  backed.write('QFI\xfb', 'latin1')
  await Promise.all(
    ids.flatMap((id, at) => [
      member.image.put(`/images/${id}/file`, at % 4 === 0 ? backed : Buffer.from(`bytes of ${at}`)),
      at % 3 === 0 ? member.image.delete(`/images/${id}`) : member.image.get(`/images/${id}`),
      member.image.put(`/images/${id}/file`, Buffer.from('other')),
    ]),
  )
  clock.advance(300_000_000)
  await settle()
  const { exists, holds } = await cloud.services.image.audit!()
  assert.deepEqual(holds.blob?.toSorted(), exists.blob?.toSorted())
  const { images } = (await member.image.get('/images?limit=100')).body
  assert.equal(images.length, ids.length - Math.ceil(ids.length / 3))
  assert.equal(holds.blob?.length, images.filter(({ size }: { size: number | null }) => size !== null).length)
})

test('OSSA-2013-027: who may not download gets nothing, however often others did', async (t) => {
  const { member, reader, stranger } = await testCloud(t)
  const { id } = await make(member, { visibility: 'private' })
  await member.image.put(`/images/${id}/file`, Buffer.from('x'))
  for (let n = 0; n < 2; n++) {
    assert.equal((await member.image.get(`/images/${id}/file`)).status, 200)
    assert.equal((await reader.image.get(`/images/${id}/file`)).status, 403)
    assert.equal((await stranger.image.get(`/images/${id}/file`)).status, 404)
  }
})
