import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestCloudOptions, testCloud } from '../../../../test/cloud.ts'
import { memoryBlobs } from '../../../drivers/blobs/index.ts'
import { minute } from '../../../kit/clock.ts'
import { withoutContext } from '../../../kit/context.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Fetch } from '../../../kit/fetch/fetch.ts'
import { uuid } from '../../../kit/ids.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'

/** A site that has these bytes. */
const fetchOf = (bytes: Buffer): Fetch => ({
  check() {},
  open: async () => ({
    sizeBytes: bytes.length,
    bytes: (async function* () {
      yield bytes
    })(),
  }),
})
const full = () => ({
  ...memoryBlobs(),
  write: async () => {
    throw new Problem('unavailable', 'There is no room.')
  },
})

async function begin(body: object, stage?: Buffer, more: object = {}, settings: TestCloudOptions['image'] = {}) {
  const stores = [
    { id: 'second', type: 'mem', blobs: memoryBlobs() },
    { id: 'full', type: 'mem', blobs: full() },
  ] as const
  const image = { fetch: fetchOf(Buffer.from('bytes')), stores: [...stores], ...settings }
  const cloud = await testCloud(undefined, { identity: settings.regionFetch !== undefined, image })
  const made = await cloud.member.image.post('/images', { disk_format: 'raw', container_format: 'bare', ...more })
  const id = made.body.id as string
  if (stage) await cloud.member.image.put(`/images/${id}/stage`, stage)
  assert.equal((await cloud.member.image.post(`/images/${id}/import`, body)).status, 202)
  return {
    ...cloud,
    id,
    settle: () => cloud.cloud.runner.settle(),
    async restart() {
      for (let n = 0; n < 4; n++) {
        cloud.clock.advance(2 * minute)
        await cloud.settle()
      }
    },
  }
}

type World = Awaited<ReturnType<typeof begin>>

const check = (status: string, stores: string | undefined, task: string) => async (world: World) => {
  const { image } = world.member
  const { body } = await withoutContext(() => image.get(`/images/${world.id}`))
  assert.deepEqual([body.status, body.stores, body.size], [status, stores, status === 'active' ? 5 : null])
  assert.equal((await withoutContext(() => image.get(`/images/${world.id}/tasks`))).body.tasks[0].status, task)
  const { holds, exists } = await world.cloud.services.image.audit!()
  assert.deepEqual([holds.blob?.length, holds], [status === 'active' ? 1 : 0, exists])
}

const web = { method: { name: 'web-download', uri: 'http://example.org/x' } }
const direct = { method: { name: 'glance-direct' } }

test('image.import: killed anywhere, a web download ends in both stores', async () => {
  const world = () => begin({ ...web, stores: ['second', 'local'] })
  assert.ok((await everyCrash({ world, check: check('active', 'second,local', 'success') })) > 8)
})

test('image.import: killed anywhere, staged bytes end in the store asked for and nowhere else', async () => {
  const world = () => begin({ ...direct, stores: ['second'] }, Buffer.from('bytes'))
  assert.ok((await everyCrash({ world, check: check('active', 'second', 'success') })) > 6)
})

test('image.import: killed anywhere, what is refused leaves a queued image and nothing else', async () => {
  const world = () => begin(web, undefined, { disk_format: 'qcow2' })
  assert.ok((await everyCrash({ world, check: check('queued', undefined, 'failure') })) > 6)
})

test('image.import: killed anywhere, a store that is full takes all back when all must succeed', async () => {
  const world = () => begin({ ...direct, all_stores: true }, Buffer.from('bytes'))
  assert.ok((await everyCrash({ world, check: check('queued', undefined, 'failure') })) > 6)
})

test('image.import: killed anywhere, a store that is full is left out when not all must succeed', async () => {
  const world = () => begin({ ...direct, all_stores: true, all_stores_must_succeed: false }, Buffer.from('bytes'))
  assert.ok((await everyCrash({ world, check: check('active', 'local,second', 'success') })) > 6)
})

test('image.import: killed anywhere, an image of another region comes with its formats', async () => {
  const image = { status: 'active', size: 5, disk_format: 'raw', container_format: 'bare', hw_disk_bus: 'scsi' }
  const regionFetch: Fetch = {
    check() {},
    open: (url, options) => fetchOf(Buffer.from(url.endsWith('/file') ? 'bytes' : JSON.stringify(image))).open(url, options),
  }
  const method = { name: 'glance-download', glance_region: 'RegionOne', glance_image_id: uuid() }
  const world = () => begin({ method }, undefined, { disk_format: 'iso' }, { regionFetch, importMethods: ['glance-download'] })
  const whole = check('active', 'local', 'success')
  const kept = async (world: World) => {
    await whole(world)
    const { body } = await withoutContext(() => world.member.image.get(`/images/${world.id}`))
    assert.deepEqual([body.disk_format, body.hw_disk_bus], ['raw', 'scsi'])
  }
  assert.ok((await everyCrash({ world, check: kept })) > 8)
})
