import { test } from 'node:test'
import { blobCases } from '../suite.ts'
import { memoryBlobs } from './memory.ts'

for (const { name, run } of blobCases)
  test(`in memory: ${name}`, async () => {
    const blobs = memoryBlobs()
    const kept = async () => {
      let bytes = 0
      for (const id of await blobs.list()) bytes += (await blobs.size(id)) ?? 0
      return bytes
    }
    await run({ blobs, kept })
  })
