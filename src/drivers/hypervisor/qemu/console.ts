import { open, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { ifMissing } from './files.ts'
import type { Place } from './place.ts'

/** A guest may write without end: beyond `cutBytes`, only the last `keptBytes` are kept. */
const cutBytes = 2 << 20
const keptBytes = 512 << 10

/** The last so many bytes, over the point where the log was cut. */
export async function readConsole({ consoleLog, consoleOld }: Place, bytes: number): Promise<string> {
  const now = await tail(consoleLog, bytes)
  const before = now.length < bytes ? await tail(consoleOld, bytes - now.length) : Buffer.alloc(0)
  return Buffer.concat([before, now]).toString()
}

/** QEMU appends: what it writes after the cut begins at the start of the empty file. What it writes during the cut may be lost. */
export async function boundConsole({ consoleLog, consoleOld }: Place): Promise<void> {
  if (((await stat(consoleLog).catch(ifMissing))?.size ?? 0) < cutBytes) return
  await writeFile(`${consoleOld}.new`, await tail(consoleLog, keptBytes), { mode: 0o600 })
  await rename(`${consoleOld}.new`, consoleOld)
  await truncate(consoleLog, 0)
}

async function tail(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path).catch(ifMissing)
  if (!file || bytes <= 0) {
    await file?.close()
    return Buffer.alloc(0)
  }
  try {
    const { size } = await file.stat()
    const wanted = Math.min(size, bytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, size - wanted)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
