import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isProblem } from '../../../kit/errors.ts'
import { assertSelfContained, readQcow2 } from './qcow2.ts'

/** A header as the specification draws it; enough of a file to be judged. */
async function image(t: TestContext, { backing = '', features = 0n, version = 3 } = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'qcow2-'))
  t.after(() => rm(dir, { recursive: true }))
  const bytes = Buffer.alloc(4096)
  bytes.write('QFI\xfb', 0, 'latin1')
  bytes.writeUInt32BE(version, 4)
  bytes.writeBigUInt64BE(backing ? 512n : 0n, 8)
  bytes.writeUInt32BE(backing.length, 16)
  bytes.writeBigUInt64BE(1n << 30n, 24)
  bytes.writeBigUInt64BE(features, 72)
  bytes.write(backing, 512)
  await writeFile(join(dir, 'image'), bytes)
  return join(dir, 'image')
}

test('size and backing file are read', async (t) => {
  const path = await image(t, { backing: '/images/a.raw' })
  assert.deepEqual(await readQcow2(path), { virtualSizeBytes: 2 ** 30, backingFile: '/images/a.raw', hasDataFile: false })
})

test('an image that names other files is refused', async (t) => {
  const refused = (error: unknown) => isProblem(error, 'invalid')
  await assertSelfContained(await image(t), 'qcow2')
  await assertSelfContained(await image(t, { version: 2, features: 4n }), 'qcow2')
  await assert.rejects(assertSelfContained(await image(t, { backing: '/etc/shadow' }), 'qcow2'), refused)
  await assert.rejects(assertSelfContained(await image(t, { features: 4n }), 'qcow2'), refused)
})

test('what is no qcow2 is refused as such, and fine as raw', async () => {
  assert.equal(await readQcow2('/proc/self/cmdline'), undefined)
  await assert.rejects(assertSelfContained('/proc/self/cmdline', 'qcow2'), (error) => isProblem(error, 'invalid'))
  await assertSelfContained('/proc/self/cmdline', 'raw')
})
