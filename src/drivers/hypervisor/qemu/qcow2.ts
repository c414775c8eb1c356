import { open } from 'node:fs/promises'
import { Problem } from '../../../kit/errors.ts'

/** What a qcow2 file says of itself (QEMU's docs/interop/qcow2.txt). */
export type Qcow2 = { virtualSizeBytes: number; backingFile: string | undefined; hasDataFile: boolean }

const magic = 0x514649fb
const dataFileBit = 1n << 2n
const headerBytes = 104
/** The specification's limit. */
const longestBackingName = 1023

/** Reads the header; undefined: not a qcow2 file. */
export async function readQcow2(path: string): Promise<Qcow2 | undefined> {
  const file = await open(path)
  try {
    const header = Buffer.alloc(headerBytes)
    const { bytesRead } = await file.read(header, 0, headerBytes, 0)
    if (bytesRead < 72 || header.readUInt32BE(0) !== magic) return undefined
    const name = Buffer.alloc(Math.min(header.readUInt32BE(16), longestBackingName))
    const offset = Number(header.readBigUInt64BE(8))
    if (offset > 0) await file.read(name, 0, name.length, offset)
    return {
      virtualSizeBytes: Number(header.readBigUInt64BE(24)),
      backingFile: offset > 0 ? name.toString() : undefined,
      hasDataFile: header.readUInt32BE(4) >= 3 && (header.readBigUInt64BE(72) & dataFileBit) !== 0n,
    }
  } finally {
    await file.close()
  }
}

/**
 * An image that names other files would let a guest read them from the host. The image service refuses such images; we do not
 * rely on it.
 */
export async function assertSelfContained(path: string, format: 'raw' | 'qcow2'): Promise<void> {
  if (format === 'raw') return
  const header = await readQcow2(path)
  if (!header) throw new Problem('invalid', 'The image is not in the format it is said to be in.')
  if (header.backingFile !== undefined || header.hasDataFile) throw new Problem('invalid', 'The image refers to other files.')
}
