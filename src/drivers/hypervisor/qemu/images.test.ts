import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { day, fakeClock } from '../../../kit/clock.ts'
import { isProblem } from '../../../kit/errors.ts'
import type { GuestImage } from '../driver.ts'
import { openImages } from './images.ts'

const bytes = Buffer.from('an image')
const image: GuestImage = {
  id: 'i',
  format: 'raw',
  sizeBytes: bytes.length,
  sha512: createHash('sha512').update(bytes).digest('hex'),
  virtualSizeBytes: bytes.length,
}

async function cache(t: TestContext, send: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> = () => [bytes]) {
  const dir = await mkdtemp(join(tmpdir(), 'images-'))
  t.after(() => rm(dir, { recursive: true }))
  const clock = fakeClock()
  const asked: string[] = []
  const blob = async (id: string) => {
    asked.push(id)
    return (async function* () {
      yield* send()
    })()
  }
  return { dir, clock, asked, images: openImages({ dir, clock, blob }) }
}

const damaged = (error: unknown) => isProblem(error, 'unavailable')

test('many guests at once are one download, and later ones none', async (t) => {
  const { asked, images } = await cache(t)
  const paths = await Promise.all([images.ensure(image), images.ensure(image), images.ensure(image)])
  assert.equal(new Set(paths).size, 1)
  assert.deepEqual(await readFile(paths[0]!), bytes)
  await images.ensure(image)
  assert.deepEqual(asked, ['i'])
})

test('too few bytes, too many, or others than were stored never become an image', async (t) => {
  for (const sent of [[bytes.subarray(1)], [bytes, bytes], [Buffer.from('AN IMAGE')]]) {
    const { dir, images } = await cache(t, () => sent)
    await assert.rejects(images.ensure(image), damaged)
    assert.ok(!(await readdir(dir)).includes('i.raw'))
    await images.tidy(new Set())
    assert.deepEqual(await readdir(dir), [])
  }
})

test('after a broken download the next one begins anew', async (t) => {
  let broken = true
  const { images } = await cache(t, () => (broken ? [bytes.subarray(3)] : [bytes]))
  await assert.rejects(images.ensure(image), damaged)
  broken = false
  assert.deepEqual(await readFile(await images.ensure(image)), bytes)
})

test('an image unused for a day goes, one with a disk on it stays', async (t) => {
  const { dir, clock, images } = await cache(t)
  const path = await images.ensure(image)
  await images.ensure(image)
  await images.tidy(new Set())
  assert.deepEqual(await readdir(dir), ['i.raw'])
  clock.advance(2 * day)
  await images.tidy(new Set([path]))
  assert.deepEqual(await readdir(dir), ['i.raw'])
  await images.tidy(new Set())
  assert.deepEqual(await readdir(dir), [])
})

test('a name cannot lead out of the folder', async (t) => {
  const { dir, images } = await cache(t)
  await writeFile(join(dir, 'x'), '')
  assert.equal(join(images.pathOf({ ...image, id: '../../etc/passwd' }), '..'), dir)
})
