export { diskBlobs } from './disk/disk.ts'
export type { Blobs, BlobWritten } from './driver.ts'
export { memoryBlobs } from './memory/memory.ts'
