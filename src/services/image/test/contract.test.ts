import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'
import { isProblem } from '../../../kit/errors.ts'

const make = async ({ image }: Client, more: object = {}) =>
  (await image.post('/images', { disk_format: 'raw', container_format: 'bare', ...more })).body.id as string

test('other services learn what an image is, and who may use it', async (t) => {
  const { cloud, member, stranger } = await testCloud(t)
  const { images } = cloud.contracts
  const id = await make(member, { name: 'web', os: 'debian', min_ram: 64, min_disk: 2 })
  await member.image.put(`/images/${id}/file`, Buffer.from('bytes'))
  const shown = await images.show({ id })
  assert.deepEqual(
    [shown?.name, shown?.status, shown?.diskFormat, shown?.sizeBytes, shown?.virtualSizeBytes, shown?.minRamMb, shown?.minDiskGb],
    ['web', 'active', 'raw', 5, 5, 64, 2],
  )
  assert.deepEqual([shown?.properties, shown?.sha512?.length], [{ os: 'debian' }, 128])
  assert.ok(shown && !('md5' in shown || 'blobId' in shown || 'tags' in shown))
  const sees = async ({ caller: { projectId } }: Client, isAdmin = false) =>
    (await images.visibleTo({ id, projectId, isAdmin })) !== undefined
  assert.deepEqual([await sees(member), await sees(stranger), await sees(stranger, true)], [true, false, true])
  await member.image.post(`/images/${id}/members`, { member: stranger.caller.projectId })
  assert.equal(await sees(stranger), true)
  await member.image.delete(`/images/${id}`)
  assert.deepEqual([await images.show({ id }), await sees(member)], [undefined, false])
})

test('a host gets the bytes of an image that has some', async (t) => {
  const { cloud, member } = await testCloud(t)
  const id = await make(member)
  const fetched = async () => {
    const chunks: Uint8Array[] = []
    for await (const chunk of await cloud.desk.blob(id)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  const isMissing = (error: unknown) => isProblem(error, 'not-found')
  await assert.rejects(fetched(), isMissing)
  await member.image.put(`/images/${id}/file`, Buffer.from('bytes'))
  assert.equal(await fetched(), 'bytes')
  await member.image.delete(`/images/${id}`)
  await assert.rejects(fetched(), isMissing)
})
