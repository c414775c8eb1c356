import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Blobs, BlobWritten } from '../../../drivers/blobs/driver.ts'
import { Problem } from '../../../kit/errors.ts'
import { CommandFailed, type Exec } from '../../../kit/exec/exec.ts'
import { openInspector } from '../inspect/inspect.ts'

/** What imported disks are turned into, and where there is room for it. */
export type ConversionSettings = {
  to: 'raw' | 'qcow2' | 'vmdk'
  folder: string
  exec: Exec
  /** Default 1 GiB: of the converter's address space. */
  maxMemoryBytes?: number
  /** Default an hour. */
  timeoutMs?: number
}

export type Convert = (ask: {
  blobs: Blobs
  from: string
  /** Name of the converted bytes: what was there is replaced. */
  into: string
  format: string
  virtualSizeBytes: number
  maxBytes: number
}) => Promise<BlobWritten & { virtualSizeBytes: number | undefined }>

/** qemu-img's words for Glance's. */
const drivers: Record<string, string> = { vhd: 'vpc', ploop: 'parallels' }

/** Only for bytes that were judged: nothing that points outside itself reaches the converter, and it gets limited memory, time and file size. */
export const openConvert =
  ({ to, folder, exec, maxMemoryBytes = 2 ** 30, timeoutMs = 3_600_000 }: ConversionSettings): Convert =>
  async ({ blobs, from, into, format, virtualSizeBytes, maxBytes }) => {
    if (virtualSizeBytes > maxBytes) throw new Problem('invalid', `The disk is larger than ${maxBytes} bytes.`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const place = await mkdtemp(join(folder, 'convert-'))
    const [source, target] = [join(place, 'source'), join(place, 'target')]
    try {
      await pipeline(await blobs.read(from), createWriteStream(source))
      const limits = [`--as=${maxMemoryBytes}`, `--cpu=${Math.ceil(timeoutMs / 1000)}`, `--fsize=${maxBytes + 2 ** 26}`]
      const command = ['qemu-img', 'convert', '-f', drivers[format] ?? format, '-O', to, source, target]
      await exec.run(['prlimit', ...limits, '--', ...command], { timeoutMs })
      const inspector = openInspector()
      const written = await blobs.write(into, createReadStream(target), { maxBytes, check: (chunk) => inspector.feed(chunk) })
      return { ...written, virtualSizeBytes: inspector.judge({ disk: to, container: 'bare' }).virtualSizeBytes }
    } catch (error) {
      if (error instanceof CommandFailed)
        throw new Problem('invalid', `The image could not be converted to ${to}.`, { cause: error })
      throw error
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  }
