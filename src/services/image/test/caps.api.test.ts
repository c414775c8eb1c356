import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { type Blobs, memoryBlobs } from '../../../drivers/blobs/index.ts'
import { Problem } from '../../../kit/errors.ts'
import { serve } from '../../../kit/http/serve.ts'
import { silentLog } from '../../../kit/log.ts'
import { openPolicy } from '../../../kit/policy/policy.ts'
import { openImages } from '../index.ts'
import { imagePolicies } from '../policy.ts'

const maxBytes = 100_000

/** The image service over a store of one's own, listening. */
async function world(t: TestContext, blobs: Blobs) {
  const { cloud, clock, member } = await testCloud(t)
  const policy = openPolicy(imagePolicies)
  const hosts = { hint() {}, ask: async () => undefined }
  const { db, work, bus } = cloud
  const stores = [{ id: 'local', type: 'mem', blobs } as const]
  const deps = { db, clock, work, bus, hosts, policy, log: silentLog, region: 'R' }
  const images = openImages(deps, cloud.contracts, { stores, maxBytes })
  const authenticate = async (token: string) => (token === 'good' ? member.caller : undefined)
  const app = serve({ name: 'image', ...images, policy, authenticate, log: silentLog, identityUrl: () => '' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { id } = (await member.image.post('/images', { disk_format: 'raw', container_format: 'bare' })).body
  const { port } = app.server.address() as AddressInfo
  /** Sends chunks for as long as the other side takes them; gives the status, and how many bytes it took to hear it. */
  const endless = (headers: Record<string, string>) =>
    new Promise<{ status: number; sent: number }>((resolve, reject) => {
      let sent = 0
      const asking = request({
        port,
        method: 'PUT',
        path: `/v2/images/${id}/file`,
        agent: false,
        headers: { 'x-auth-token': 'good', 'content-type': 'application/octet-stream', ...headers },
      })
      const pump = () => {
        while (!asking.destroyed && asking.write(Buffer.alloc(16_384))) sent += 16_384
      }
      asking.on('drain', pump).on('error', reject)
      asking.on('response', (answer) => {
        resolve({ status: answer.statusCode ?? 0, sent })
        asking
          .removeAllListeners('drain')
          .on('error', () => {})
          .destroy()
      })
      pump()
    })
  return { endless, show: async () => (await member.image.get(`/images/${id}`)).body, blobs }
}

test('OSSA-2014-028: an upload is cut at the size cap, whether it says its size or not, and leaves nothing', async (t) => {
  const { endless, show, blobs } = await world(t, memoryBlobs())
  for (const headers of [
    { 'transfer-encoding': 'chunked' },
    { 'content-length': '1000000000' },
    { 'content-length': '999999999999' },
  ]) {
    const { status } = await endless(headers as Record<string, string>)
    assert.equal(status, 413, JSON.stringify(headers))
    assert.deepEqual([(await show()).status, (await show()).size, await blobs.list()], ['queued', null, []])
  }
})

test('a store without room says so while the client is still sending, and the image can be filled later', async (t) => {
  const full: Blobs = {
    ...memoryBlobs(),
    async write(_, bytes) {
      for await (const _chunk of bytes)
        throw new Problem('unavailable', 'There is no room for these bytes.', { code: 'storage-full' })
      throw new Error('unreachable')
    },
  }
  const { endless, show } = await world(t, full)
  assert.equal((await endless({ 'transfer-encoding': 'chunked' })).status, 413)
  assert.equal((await show()).status, 'queued')
})
