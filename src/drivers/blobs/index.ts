export { diskBlobs } from './disk/disk.ts'
export type { Blobs, BlobWritten } from './driver.ts'
export { memoryBlobs } from './memory/memory.ts'
export { s3Blobs } from './s3/s3.ts'
