import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { isProblem } from '../../../kit/errors.ts'
import { blobCases } from '../suite.ts'
import { s3Double } from './double.ts'
import { s3Blobs } from './s3.ts'
import { authorization, sha256 } from './sigv4.ts'

async function world(t: TestContext, more: { bucket?: string; accessKey?: string } = {}) {
  const double = await s3Double('images')
  t.after(double.close)
  // Parts smaller than real servers take, so that tests have several.
  const settings = {
    endpoint: double.endpoint,
    bucket: 'images',
    accessKey: 'key',
    secretKey: 'secret',
    prefix: 'blobs/',
    partBytes: 100_000,
  }
  return { double, blobs: s3Blobs({ ...settings, ...more }) }
}

async function* bytesOf(...chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}
const roomy = { maxBytes: 1 << 30 }

for (const { name, run } of blobCases)
  test(`on S3 (a double): ${name}`, async (t) => {
    const { double, blobs } = await world(t)
    await run({ blobs, kept: async () => double.kept() })
    assert.equal(double.uploads(), 0)
  })

test('requests are signed as in the examples of Amazon’s documentation', () => {
  const signature = (text: string) => /Signature=(\w+)/.exec(text)?.[1]
  const empty = sha256('')
  const vanilla = {
    method: 'GET',
    path: '/',
    query: {},
    headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
  }
  const suite = {
    accessKey: 'AKIDEXAMPLE',
    secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
    service: 'service',
  }
  assert.equal(
    signature(authorization({ ...vanilla, bodyHash: empty }, suite, '20150830T123600Z')),
    '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  )
  const headers = {
    host: 'examplebucket.s3.amazonaws.com',
    range: 'bytes=0-9',
    'x-amz-content-sha256': empty,
    'x-amz-date': '20130524T000000Z',
  }
  const object = { method: 'GET', path: '/test.txt', query: {}, headers, bodyHash: empty }
  const s3 = {
    accessKey: 'AKIAIOSFODNN7EXAMPLE',
    secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
    service: 's3',
  }
  assert.equal(
    signature(authorization(object, s3, '20130524T000000Z')),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  )
})

test('lists of several pages are read to the end, and other keys are not blobs', async (t) => {
  const { blobs } = await world(t)
  const ids = Array.from({ length: 5 }, () => randomUUID()).sort()
  for (const id of ids) await blobs.write(id, bytesOf(Buffer.from('x')), roomy)
  assert.deepEqual((await blobs.list()).sort(), ids)
})

test('what a killed writer left of its parts goes with the blob', async (t) => {
  const { double, blobs } = await world(t)
  const id = randomUUID()
  double.fail('DELETE', 403, 1)
  const broken = async function* () {
    yield Buffer.alloc(150_000)
    yield Buffer.alloc(150_000)
    throw new Error('the line is dead')
  }
  await assert.rejects(blobs.write(id, broken(), roomy), /the line is dead/)
  assert.ok(double.kept() > 0)
  await blobs.remove(id)
  assert.deepEqual([double.kept(), double.uploads()], [0, 0])
})

test('a server at fault is asked again, three times; a refusal is unavailable and says nothing of the store', async (t) => {
  const { double, blobs } = await world(t)
  const id = randomUUID()
  double.fail('PUT', 503, 2)
  assert.equal((await blobs.write(id, bytesOf(Buffer.from('x')), roomy)).sizeBytes, 1)
  double.fail('PUT', 503, 3)
  const isUnavailable = (error: unknown) => isProblem(error, 'unavailable') && !/key|secret|images\//.test(error.message)
  await assert.rejects(blobs.write(id, bytesOf(Buffer.from('x')), roomy), isUnavailable)
  const wrong = await world(t, { accessKey: 'other' })
  await assert.rejects(wrong.blobs.list(), isUnavailable)
  double.close()
  await assert.rejects(blobs.read(id), isUnavailable)
})
