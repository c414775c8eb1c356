import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openSums } from './sums.ts'
import { openThread } from './thread.ts'

const shared = (bytes: Buffer): Buffer => {
  const page = Buffer.from(new SharedArrayBuffer(bytes.length))
  page.set(bytes)
  return page
}
const sum = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex')

test('sums of many streams side by side are each their own', async () => {
  const open = openSums(1)
  const streams = Array.from({ length: 5 }, () => [randomBytes(70_000), randomBytes(1), randomBytes(30_000)])
  const made = await Promise.all(
    streams.map(async (pages) => {
      const summing = open()
      for (const page of pages) {
        await summing.feed(shared(page))
        // Longer than the threads wait for work: they must not go while somebody is not done.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return summing.end()
    }),
  )
  const expected = streams.map((pages) => ({
    md5: sum('md5', Buffer.concat(pages)),
    sha512: sum('sha512', Buffer.concat(pages)),
  }))
  assert.deepEqual(made, expected)
})

test('who comes after the threads went to rest, or after one who gave up, is served as well', async () => {
  const open = openSums(0)
  const lost = open()
  await lost.feed(shared(Buffer.from('lost')))
  lost.drop()
  for (const text of ['a', 'b']) {
    const summing = open()
    await summing.feed(shared(Buffer.from(text)))
    assert.equal((await summing.end()).md5, sum('md5', Buffer.from(text)))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
})

test('whose thread was lost hears so, and never gets the sum of half', async () => {
  const open = openThread('no such sum', 1000)
  const stream = open()
  await assert.rejects(stream.feed(shared(Buffer.from('half'))), /the thread that makes sums ended/)
  await assert.rejects(stream.end(), /the thread that makes sums ended/)
  stream.drop()
})
