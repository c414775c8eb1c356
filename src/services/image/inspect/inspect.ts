import { type Detected, detect, type Edges, refuse } from './formats.ts'
import { isTar, type MemberJudge, openTarWalk } from './tar.ts'

/** As many bytes from the beginning as any format needs to be judged (VHDX keeps its metadata within them). */
export const headBytes = 4 << 20
/** And from the end: the footers of VHD and VMDK. */
export const tailBytes = 1536

/** What an image was declared to be, by Glance's disk_format and container_format. */
export type Declared = { disk: string; container: string }

export type Inspector = {
  /** Takes the bytes in order, and keeps no more than the two edges. */
  feed(chunk: Uint8Array): void
  /**
   * Judges the whole by its edges: what it is, whether that is what it was declared to be, whether it points outside itself.
   * Throws invalid with code `bad-format`.
   */
  judge(declared: Declared): Detected
}

/** Disks that are just their bytes may hold a partition table, an ISO file system or a boot sector. */
const plain = new Set(['gpt', 'mbr', 'iso'])
const rawLike = new Set(['raw', 'ami', 'ari', 'aki', 'iso'])

export function openInspector(): Inspector {
  const collected = openEdges()
  const archive = openTarWalk(openMember)
  return {
    feed(chunk) {
      archive.feed(chunk)
      collected.feed(chunk)
    },
    judge(declared) {
      const edges = collected.edges()
      const detected = judge(declared, edges)
      if (declared.container === 'ova' && isTar(edges.head)) archive.judge()
      return detected
    },
  }
}

/** A disk in an archive is judged by what it shows itself to be. */
function openMember(): MemberJudge {
  const collected = openEdges()
  return {
    feed: collected.feed,
    end() {
      const edges = collected.edges()
      for (const format of detect(edges, '')) format.virtualSize?.(edges)
    },
  }
}

function openEdges() {
  const head: Buffer[] = []
  let tail: Buffer = Buffer.alloc(0)
  let [kept, sizeBytes] = [0, 0]
  return {
    feed(chunk: Uint8Array) {
      sizeBytes += chunk.length
      tail = lastOf(tail, chunk)
      if (kept >= headBytes) return
      const part = Buffer.from(chunk.subarray(0, headBytes - kept))
      head.push(part)
      kept += part.length
    },
    edges: (): Edges => ({ head: Buffer.concat(head), tail, sizeBytes }),
  }
}

/** A copy: who holds a view of a chunk holds all of it. */
const lastOf = (before: Buffer, chunk: Uint8Array): Buffer =>
  chunk.length >= tailBytes
    ? Buffer.from(chunk.subarray(-tailBytes))
    : Buffer.from(Buffer.concat([before, chunk]).subarray(-tailBytes))

/** The same of bytes that lie somewhere already. Throws invalid with code `bad-format`. */
export function judge(declared: Declared, edges: Edges): Detected {
  const found = detect(edges, declared.disk)
  const strong = found.filter((format) => !plain.has(format.name))
  if (strong.length > 1) throw refuse(`The image is ${strong.map((format) => format.name).join(' and ')} at once.`)
  const [only] = strong
  const format = only?.name ?? found[0]?.name ?? 'raw'
  if (!fits(declared, format)) throw refuse(`The image was declared to be ${declared.disk}, and its content is ${format}.`)
  const virtualSizeBytes = only?.virtualSize?.(edges)
  return { format, virtualSizeBytes: virtualSizeBytes ?? (rawLike.has(declared.disk) ? edges.sizeBytes : undefined) }
}

/** What is in a container of its own (an OVA, a compressed file) shows nothing of the disk inside; a disk that does show is judged all the same. */
function fits({ disk, container }: Declared, format: string): boolean {
  const isRaw = format === 'raw' || plain.has(format)
  if (rawLike.has(disk)) return isRaw || format === 'luks'
  return disk === format || (isRaw && container !== 'bare')
}
