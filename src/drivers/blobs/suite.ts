import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { isProblem } from '../../kit/errors.ts'
import type { Blobs } from './driver.ts'

/** A driver over an empty place. */
export type Stage = {
  blobs: Blobs
  /** How many bytes are really kept, whole blobs and whatever else lies about. */
  kept(): Promise<number>
}
export type Case = { name: string; run(stage: Stage): Promise<void> }

const roomy = { maxBytes: 1 << 30 }
const id = '00000000-0000-4000-8000-000000000001'

async function* streamOf(...chunks: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield chunk
  }
}

const whole = async (blobs: Blobs, range?: { start: number; end: number }): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of await blobs.read(id, range)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const digest = (name: string, bytes: Buffer) => createHash(name).update(bytes).digest('hex')
const isKind = (kind: 'not-found' | 'too-large') => (error: unknown) => isProblem(error, kind)

const nothingIsLeft = async ({ blobs, kept }: Stage): Promise<void> => {
  assert.equal(await blobs.size(id), undefined)
  assert.deepEqual(await blobs.list(), [])
  assert.equal(await kept(), 0)
}

/** What every keeper of blobs must do. */
export const blobCases: Case[] = [
  {
    name: 'a blob comes back as it was written, whole and in parts, with its sums',
    async run({ blobs }) {
      const bytes = randomBytes(700_001)
      const written = await blobs.write(
        id,
        streamOf(bytes.subarray(0, 1), bytes.subarray(1, 300_000), bytes.subarray(300_000)),
        roomy,
      )
      assert.deepEqual(written, { sizeBytes: bytes.length, md5: digest('md5', bytes), sha512: digest('sha512', bytes) })
      assert.equal(await blobs.size(id), bytes.length)
      assert.ok((await whole(blobs)).equals(bytes))
      for (const [start, end] of [
        [0, 0],
        [262_143, 262_144],
        [5, 699_999],
        [700_000, 700_000],
      ] as const)
        assert.ok((await whole(blobs, { start, end })).equals(bytes.subarray(start, end + 1)), `${start}-${end}`)
      assert.deepEqual(await blobs.list(), [id])
    },
  },
  {
    name: 'an empty blob is a blob',
    async run({ blobs }) {
      assert.equal((await blobs.write(id, streamOf(), roomy)).sizeBytes, 0)
      assert.equal(await blobs.size(id), 0)
      assert.equal((await whole(blobs)).length, 0)
    },
  },
  {
    name: 'a stream that breaks leaves nothing, and what was there before stays',
    async run(stage) {
      const { blobs } = stage
      const broken = () => streamOf(randomBytes(100_000), new Error('the line is dead'))
      await assert.rejects(blobs.write(id, broken(), roomy), /the line is dead/)
      await nothingIsLeft(stage)
      await blobs.write(id, streamOf(Buffer.from('before')), roomy)
      await assert.rejects(blobs.write(id, broken(), roomy), /the line is dead/)
      assert.equal(String(await whole(blobs)), 'before')
      assert.equal(await stage.kept(), 6)
    },
  },
  {
    name: 'what is refused on its way, or is too large, leaves nothing and is read no further',
    async run(stage) {
      const { blobs } = stage
      const check = () => {
        throw new Error('refused')
      }
      await assert.rejects(blobs.write(id, streamOf(Buffer.from('x')), { ...roomy, check }), /refused/)
      const drawn = { chunks: 0 }
      const endless = async function* () {
        while (true) {
          drawn.chunks++
          yield Buffer.alloc(1000)
        }
      }
      await assert.rejects(blobs.write(id, endless(), { maxBytes: 2500 }), isKind('too-large'))
      assert.equal(drawn.chunks, 3)
      await nothingIsLeft(stage)
    },
  },
  {
    name: 'a blob is not there until it is whole',
    async run({ blobs }) {
      const seen: (number | undefined)[] = []
      const watched = async function* () {
        yield Buffer.from('first')
        seen.push(await blobs.size(id))
        yield Buffer.from('second')
        seen.push(await blobs.size(id))
      }
      await blobs.write(id, watched(), roomy)
      assert.deepEqual(seen, [undefined, undefined])
      assert.equal(await blobs.size(id), 11)
    },
  },
  {
    name: 'two writers of one blob: it is wholly the one or wholly the other',
    async run(stage) {
      const [a, b] = [Buffer.alloc(500_000, 'a'), Buffer.alloc(400_000, 'b')]
      const slices = (bytes: Buffer) =>
        streamOf(
          ...Array.from({ length: 10 }, (_, at) => bytes.subarray((at * bytes.length) / 10, ((at + 1) * bytes.length) / 10)),
        )
      await Promise.all([stage.blobs.write(id, slices(a), roomy), stage.blobs.write(id, slices(b), roomy)])
      const found = await whole(stage.blobs)
      assert.ok(found.equals(a) || found.equals(b))
      assert.equal(await stage.kept(), found.length)
    },
  },
  {
    name: 'a reader keeps what it reads while the blob is removed',
    async run({ blobs }) {
      const bytes = randomBytes(2_000_000)
      await blobs.write(id, streamOf(bytes), roomy)
      const reading = await blobs.read(id)
      await blobs.remove(id)
      const chunks: Uint8Array[] = []
      for await (const chunk of reading) chunks.push(chunk)
      assert.ok(Buffer.concat(chunks).equals(bytes))
    },
  },
  {
    name: 'what is not there is not found, and removed without a word',
    async run(stage) {
      const { blobs } = stage
      for (const unknown of [randomUUID(), '../../../etc/passwd', 'x', '']) {
        assert.equal(await blobs.size(unknown), undefined)
        await assert.rejects(blobs.read(unknown), isKind('not-found'))
        await blobs.remove(unknown)
      }
      await blobs.write(id, streamOf(Buffer.from('x')), roomy)
      await blobs.remove(id)
      await blobs.remove(id)
      await nothingIsLeft(stage)
    },
  },
]
