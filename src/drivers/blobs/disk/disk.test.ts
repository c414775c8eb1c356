import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isProblem } from '../../../kit/errors.ts'
import { blobCases } from '../suite.ts'
import { diskBlobs } from './disk.ts'

const id = '00000000-0000-4000-8000-000000000001'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'blobs-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

const bytesIn = async (path: string): Promise<number> => {
  let bytes = 0
  for (const name of await readdir(path)) bytes += (await stat(join(path, name))).size
  return bytes
}

for (const { name, run } of blobCases)
  test(`on disk: ${name}`, async (t) => {
    const path = await folder(t)
    await run({ blobs: diskBlobs(path), kept: () => bytesIn(path) })
  })

test('a full disk is unavailable and leaves nothing', async (t) => {
  const path = await folder(t)
  const full = async function* () {
    yield Buffer.from('x')
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  await assert.rejects(diskBlobs(path).write(id, full(), { maxBytes: 10 }), (error) => {
    return isProblem(error, 'unavailable') && error.code === 'storage-full'
  })
  assert.deepEqual(await readdir(path), [])
})

test('what a killed writer left beside a blob goes with it, and other blobs stay', async (t) => {
  const path = await folder(t)
  await mkdir(path, { recursive: true })
  const other = id.replace(/1$/, '2')
  for (const name of [`${id}.0a1b2c3d.part`, `${other}.0a1b2c3d.part`, other]) await writeFile(join(path, name), 'left')
  const blobs = diskBlobs(path)
  assert.deepEqual(await blobs.list(), [other])
  await blobs.remove(id)
  assert.deepEqual((await readdir(path)).sort(), [other, `${other}.0a1b2c3d.part`])
})
