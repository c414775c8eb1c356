/**
 * The blob driver for S3 against Debian's own Swift: a line for each proof. Needs swift-proxy, swift-account, swift-container and swift-object, installed, or
 * unpacked in a folder that is given as argument; root, as Swift's servers drop to a user.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openS3 } from '../../../src/drivers/blobs/s3/client.ts'
import { s3Blobs } from '../../../src/drivers/blobs/s3/s3.ts'
import { blobCases } from '../../../src/drivers/blobs/suite.ts'
import { explainError } from '../../../src/kit/errors.ts'
import { startSwift } from './swift.ts'

const folder = await mkdtemp(join(tmpdir(), 'altostack-s3-'))
const swift = await startSwift(folder, process.argv[2] ?? '/', 18_080)
let failures = 0
const prove = async (what: string, proof: () => Promise<void>) => {
  try {
    await proof()
    console.log(`ok   ${what}`)
  } catch (error) {
    failures++
    console.log(`FAIL ${what}: ${explainError(error)}`)
  }
}

try {
  for (const [at, { name, run }] of blobCases.entries())
    await prove(name, async () => {
      const settings = { ...swift, bucket: `bucket-${at}`, partBytes: 100_000 }
      const s3 = openS3(settings)
      await s3.text({ method: 'PUT' })
      const blobs = s3Blobs(settings)
      const kept = async () => {
        let bytes = 0
        for (const id of await blobs.list()) bytes += (await blobs.size(id)) ?? 0
        return bytes + (await s3.text({ method: 'GET', query: { uploads: '' } })).body.split('<Upload>').length - 1
      }
      await run({ blobs, kept })
    })
  await prove('40 MB in parts of 16 MiB come back as they went', async () => {
    const settings = { ...swift, bucket: 'large' }
    await openS3(settings).text({ method: 'PUT' })
    const [blobs, id] = [s3Blobs(settings), '00000000-0000-4000-8000-000000000001']
    const chunks = (async function* () {
      for (let n = 0; n < 40; n++) yield Buffer.alloc(1_000_000, n)
    })()
    const { sha512 } = await blobs.write(id, chunks, { maxBytes: 1e9 })
    const hash = createHash('sha512')
    for await (const chunk of await blobs.read(id)) hash.update(chunk)
    if (hash.digest('hex') !== sha512) throw new Error('other bytes came back')
  })
} finally {
  swift.close()
  await rm(folder, { recursive: true })
}
process.exit(failures === 0 ? 0 : 1)
