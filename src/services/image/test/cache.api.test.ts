import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'
import { memoryBlobs } from '../../../drivers/blobs/index.ts'
import { minute } from '../../../kit/clock.ts'
import { withoutContext } from '../../../kit/context.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'

const make = async (client: Client, text: string): Promise<string> => {
  const { id } = (await client.image.post('/images', { disk_format: 'raw', container_format: 'bare' })).body
  await client.image.put(`/images/${id}/file`, Buffer.from(text))
  return id
}

async function world(t: Parameters<typeof testCloud>[0], maxBytes = 1000) {
  const blobs = memoryBlobs()
  const cloud = await testCloud(t, { image: { cache: { node: 'one', blobs, maxBytes } } })
  const state = async () => (await cloud.admin.image.get('/cache')).body
  const ids = async () => (await state()).cached_images.map((one: { image_id: string }) => one.image_id)
  return { ...cloud, blobs, state, ids }
}

test('an image is queued, cached, read from the cache, and taken out of it', async (t) => {
  const { admin, member, settle, state, blobs } = await world(t)
  const id = await make(member, 'bytes')
  assert.equal((await member.image.put(`/cache/${id}`)).status, 403)
  assert.equal((await admin.image.put(`/cache/${id}`)).status, 202)
  assert.deepEqual(await state(), { cached_images: [], queued_images: [id] })
  await settle()
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'bytes')
  assert.equal((await member.image.get(`/images/${id}/file`, { headers: { range: 'bytes=1-2' } })).body, 'yt')
  const [cached] = (await state()).cached_images
  assert.deepEqual([cached.image_id, cached.hits, cached.size], [id, 2, 5])
  assert.deepEqual((await admin.image.get(`/cache/nodes/${id}`)).body, { cached_nodes: ['one'] })
  assert.equal((await admin.image.delete(`/cache/${id}`)).status, 204)
  await settle()
  assert.deepEqual([await blobs.list(), await state()], [[], { cached_images: [], queued_images: [] }])
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'bytes')
})

test('the cache is pruned to its size, cleaned, and emptied in part or whole; a deleted image leaves it', async (t) => {
  const { admin, member, settle, ids, blobs } = await world(t, 10)
  const [a, b, c] = [await make(member, 'aaaaa'), await make(member, 'bbbbb'), await make(member, 'ccccc')]
  for (const id of [a, b]) await admin.image.put(`/cache/${id}`)
  await settle()
  await member.image.get(`/images/${a}/file`)
  await admin.image.put(`/cache/${c}`)
  await settle()
  assert.deepEqual((await ids()).sort(), [a, c].sort())
  assert.deepEqual((await admin.image.post('/cache/prune')).body, { total_files_pruned: 0, total_bytes_pruned: 0 })
  for (const blob of (await blobs.list()).slice(0, 1)) await blobs.remove(blob)
  assert.equal((await member.image.get(`/images/${a}/file`)).body, 'aaaaa')
  assert.equal((await admin.image.post('/cache/clean')).status, 200)
  assert.equal((await ids()).length, 1)
  await member.image.delete(`/images/${(await ids())[0]}`)
  await settle()
  assert.deepEqual([await ids(), await blobs.list()], [[], []])
  await admin.image.put(`/cache/${b}`)
  const clear = (target: string) => admin.image.delete('/cache', { headers: { 'x-image-cache-clear-target': target } })
  assert.equal((await clear('nonsense')).status, 400)
  assert.equal((await clear('queue')).status, 204)
  await settle()
  assert.deepEqual(await ids(), [])
  assert.equal((await admin.image.delete('/cache/00000000-0000-4000-8000-000000000000')).status, 404)
})

test('a site without a cache says so', async (t) => {
  const { admin, member } = await testCloud(t)
  assert.equal((await admin.image.get('/cache')).status, 404)
  assert.equal((await member.image.get('/cache')).status, 403)
})

test('image.cache.one: killed anywhere, an image is cached whole', async () => {
  const effects = await everyCrash({
    async world() {
      const one = await world(undefined)
      const id = await make(one.member, 'bytes')
      await one.admin.image.put(`/cache/${id}`)
      const restart = async () => {
        one.clock.advance(2 * minute)
        await one.settle()
      }
      return { ...one, id, restart }
    },
    async check({ id, ids, blobs }) {
      assert.deepEqual([await withoutContext(ids), (await blobs.list()).length], [[id], 1])
    },
  })
  assert.ok(effects >= 3, `${effects} effects`)
})
