import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'
import { withoutContext } from '../../../kit/context.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'

const begin = async () => {
  const cloud = await testCloud(undefined)
  const { body } = await cloud.member.image.post('/images', { disk_format: 'raw', container_format: 'bare' })
  return { ...cloud, id: body.id as string }
}
const audit = async (cloud: Awaited<ReturnType<typeof begin>>) => cloud.cloud.services.image.audit!()

test('image.bytes: killed anywhere in an upload, the image is active or queued without bytes', async () => {
  const effects = await everyCrash({
    async world() {
      const cloud = await begin()
      return {
        ...cloud,
        settle: async () => void (await cloud.member.image.put(`/images/${cloud.id}/file`, Buffer.from('bytes'))),
        async restart() {
          cloud.clock.advance(5 * minute)
          await cloud.settle()
        },
      }
    },
    async check(world) {
      const { body } = await withoutContext(() => world.member.image.get(`/images/${world.id}`))
      const { holds, exists } = await audit(world)
      assert.deepEqual(holds, exists)
      assert.ok((body.status === 'active' && body.size === 5) || (body.status === 'queued' && body.size === null), body.status)
    },
  })
  assert.ok(effects >= 2, `${effects} effects`)
})

test('image.bytes: killed anywhere in a deletion, nothing is left', async () => {
  const effects = await everyCrash({
    async world() {
      const cloud = await begin()
      await cloud.member.image.put(`/images/${cloud.id}/file`, Buffer.from('bytes'))
      await cloud.member.image.delete(`/images/${cloud.id}`)
      return {
        ...cloud,
        async restart() {
          cloud.clock.advance(5 * minute)
          await cloud.settle()
        },
      }
    },
    async check(world) {
      assert.deepEqual(await audit(world), { problems: [], exists: { blob: [] }, holds: { blob: [] } })
      assert.equal(await world.cloud.services.image.machines[0]!.load(world.id), undefined)
    },
  })
  assert.ok(effects >= 2, `${effects} effects`)
})

test('an image deleted during its upload ends the upload and leaves nothing', async (t) => {
  const cloud = await begin()
  t.after(cloud.close)
  const { promise, resolve } = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const bytes = Readable.from(
    (async function* () {
      yield Buffer.from('first')
      started.resolve()
      await promise
      yield Buffer.from('second')
    })(),
  )
  const uploading = cloud.cloud.apps.image.inject({
    method: 'PUT',
    url: `/v2/images/${cloud.id}/file`,
    headers: { 'x-auth-token': 'member-token', 'content-type': 'application/octet-stream' },
    payload: bytes,
  })
  await started.promise
  assert.equal((await cloud.member.image.delete(`/images/${cloud.id}`)).status, 204)
  resolve()
  assert.equal((await uploading).statusCode, 410)
  cloud.clock.advance(minute)
  await cloud.settle()
  assert.deepEqual(await audit(cloud), { problems: [], exists: { blob: [] }, holds: { blob: [] } })
})
