import { type Detected, detect, refuse } from './formats.ts'

/** As many bytes from the beginning as any format needs to be judged (VHDX keeps its metadata within them). */
export const headBytes = 4 << 20

export type Inspector = {
  /** Takes the bytes in order, and keeps no more than the head. */
  feed(chunk: Uint8Array): void
  /**
   * Judges the whole by its head: what it is, whether that is what it was declared to be (Glance's disk_format), whether it points outside itself.
   * Throws invalid with code `bad-format`.
   */
  judge(declared: string, sizeBytes: number): Detected
}

/** Disks that are just their bytes may hold a partition table, an ISO file system or a boot sector. */
const plain = new Set(['gpt', 'mbr', 'iso'])
const rawLike = new Set(['raw', 'ami', 'ari', 'aki', 'iso'])

export function openInspector(): Inspector {
  let head: Buffer[] = []
  let kept = 0
  return {
    feed(chunk) {
      if (kept >= headBytes) return
      const part = Buffer.from(chunk.subarray(0, headBytes - kept))
      head.push(part)
      kept += part.length
    },
    judge(declared, sizeBytes) {
      const bytes = Buffer.concat(head)
      head = [bytes]
      const found = detect(bytes)
      const strong = found.filter((format) => !plain.has(format.name))
      if (strong.length > 1) throw refuse(`The image is ${strong.map((format) => format.name).join(' and ')} at once.`)
      const format = strong[0]?.name ?? found[0]?.name ?? 'raw'
      if (!fits(declared, format)) throw refuse(`The image was declared to be ${declared}, and its content is ${format}.`)
      const virtualSizeBytes = strong[0]?.virtualSize?.(bytes)
      return { format, virtualSizeBytes: virtualSizeBytes ?? (rawLike.has(declared) ? sizeBytes : undefined) }
    },
  }
}

function fits(declared: string, format: string): boolean {
  if (rawLike.has(declared)) return format === 'raw' || plain.has(format) || format === 'luks'
  // A fixed VHD is raw with a footer at its end, which a stream shows too late.
  if (declared === 'vhd') return format === 'vhd'
  return declared === format
}
