import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { testCloud } from '../../../../test/cloud.ts'
import { minute } from '../../../kit/clock.ts'

/** A cloud whose image service listens, with bytes on disk, and an image to fill. */
async function world(t: TestContext, more: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'images-'))
  t.after(() => rm(folder, { recursive: true }))
  const cloud = await testCloud(t, { imageDir: folder })
  await cloud.cloud.apps.image.listen({ port: 0, host: '127.0.0.1' })
  const { port } = cloud.cloud.apps.image.server.address() as AddressInfo
  const made = await cloud.member.image.post('/images', { disk_format: 'raw', container_format: 'bare', ...more })
  const path = `/v2/images/${made.body.id}`
  const open = (method: string, headers: Record<string, string> = {}): ClientRequest =>
    request({
      port,
      host: '127.0.0.1',
      method,
      path: `${path}/file`,
      agent: false,
      headers: { 'x-auth-token': 'member-token', 'content-type': 'application/octet-stream', ...headers },
    })
  const show = async () => (await cloud.member.image.get(`/images/${made.body.id}`)).body
  return { ...cloud, id: made.body.id as string, open, show, folder, files: () => readdir(folder) }
}

const answerOf = (asking: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => asking.on('response', resolve).on('error', reject))

async function send(asking: ClientRequest, chunk: Buffer, times: number): Promise<void> {
  for (let n = 0; n < times; n++) if (!asking.write(chunk)) await new Promise((resolve) => asking.once('drain', resolve))
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it never came to hold')
}

const openFiles = async (folder: string): Promise<number> => {
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return links.filter((link) => link.startsWith(folder)).length
}

/** Only what survives a collection counts: garbage of 40 MB may lie about for as long as the test runs. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

test('40 megabytes pass up and down in memory that does not grow with them', async (t) => {
  const { open, show } = await world(t)
  const collect = collector()
  collect()
  const [before, peak] = [process.memoryUsage().arrayBuffers, { bytes: 0 }]
  const look = async () => {
    // Buffers are freed beside the collection: the second one finds them gone.
    for (let n = 0; n < 3; n++) {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
    peak.bytes = Math.max(peak.bytes, process.memoryUsage().arrayBuffers - before)
  }
  const up = open('PUT', { 'transfer-encoding': 'chunked' })
  const answered = answerOf(up)
  for (let n = 0; n < 4; n++) {
    await send(up, Buffer.alloc(1 << 18, 7), 40)
    await look()
  }
  up.end()
  assert.equal((await answered).statusCode, 204)
  const image = await show()
  assert.deepEqual([image.status, image.size], ['active', 40 << 20])
  const down = open('GET')
  down.end()
  const [hash, got] = [createHash('sha512'), { bytes: 0, looks: 0 }]
  for await (const part of await answerOf(down)) {
    hash.update(part as Buffer)
    got.bytes += (part as Buffer).length
    if (got.bytes < (got.looks + 1) * (10 << 20)) continue
    got.looks++
    await look()
  }
  assert.equal(hash.digest('hex'), image.os_hash_value)
  // What is held once the garbage is gone: what waits in sockets and pipes.
  assert.ok(peak.bytes < 20 << 20, `${peak.bytes >> 20} MiB`)
})

test('a client that goes away in mid-upload leaves the image queued, without bytes, and able to be filled', async (t) => {
  for (const headers of [{ 'transfer-encoding': 'chunked' }, { 'content-length': String(1 << 30) }]) {
    const { open, show, files } = await world(t)
    const up = open('PUT', headers)
    up.on('error', () => {})
    await send(up, Buffer.alloc(1 << 16), 8)
    await until(async () => (await show()).status === 'saving')
    await until(async () => (await files()).length === 1)
    up.destroy()
    await until(async () => (await show()).status === 'queued')
    assert.equal((await show()).size, null)
    assert.deepEqual(await files(), [])
    const again = open('PUT')
    again.end('whole')
    assert.equal((await answerOf(again)).statusCode, 204)
    assert.equal((await show()).size, 5)
  }
})

test('a second upload beside the first, or after it, is a conflict and changes nothing (OSSA-2016-006)', async (t) => {
  const { open, show, files, member, id } = await world(t)
  const first = open('PUT', { 'transfer-encoding': 'chunked' })
  const answered = answerOf(first)
  await send(first, Buffer.from('first'), 1)
  await until(async () => (await show()).status === 'saving')
  const second = open('PUT')
  second.end('second')
  assert.equal((await answerOf(second)).statusCode, 409)
  first.end()
  assert.equal((await answered).statusCode, 204)
  const third = open('PUT')
  third.end('third')
  assert.equal((await answerOf(third)).statusCode, 409)
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'first')
  assert.equal((await files()).length, 1)
})

test('an upload that was believed dead cannot touch what came after it', async (t) => {
  const { open, show, files, member, id, clock, settle } = await world(t)
  const slow = open('PUT', { 'transfer-encoding': 'chunked' })
  const answered = answerOf(slow)
  await send(slow, Buffer.from('slow'), 1)
  await until(async () => (await show()).status === 'saving')
  clock.advance(5 * minute)
  await settle()
  assert.equal((await show()).status, 'queued')
  assert.equal((await member.image.put(`/images/${id}/file`, Buffer.from('fast'))).status, 204)
  slow.end()
  assert.equal((await answered).statusCode, 410)
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'fast')
  assert.deepEqual([(await show()).status, (await files()).length], ['active', 1])
})

test('downloads that end early, and questions without an answer, keep no file open', async (t) => {
  const { open, member, id, folder } = await world(t)
  await member.image.put(`/images/${id}/file`, Buffer.alloc(8 << 20))
  const down = open('GET')
  down.end()
  const answer = await answerOf(down)
  answer.once('readable', () => answer.read(1))
  answer.on('error', () => {})
  await until(async () => (await openFiles(folder)) === 1)
  down.destroy()
  await until(async () => (await openFiles(folder)) === 0)
  const head = open('HEAD')
  head.end()
  assert.equal((await answerOf(head)).headers['content-length'], String(8 << 20))
  await until(async () => (await openFiles(folder)) === 0)
})
