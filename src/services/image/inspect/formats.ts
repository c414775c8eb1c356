import { Problem } from '../../../kit/errors.ts'

/** What the first bytes of a file say it is. `raw`: nothing that has a format. */
export type Detected = { format: string; virtualSizeBytes: number | undefined }

export const refuse = (message: string): Problem => new Problem('invalid', message, { code: 'bad-format' })

/** The first and last bytes of a file, and how long it is in all. */
export type Edges = { head: Buffer; tail: Buffer; sizeBytes: number }

type Format = {
  name: string
  /** Whether the file has its mark. */
  matches(edges: Edges): boolean
  /** Throws when the file points outside itself or contradicts itself. Undefined: as large as the file. */
  virtualSize?(edges: Edges): number | undefined
}

const ascii = (head: Buffer, at: number, text: string) =>
  head.length >= at + text.length && head.toString('latin1', at, at + text.length) === text

/** An integer of 8 bytes that is small enough to be a size. */
const size = (value: bigint, what: string): number => {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(`The ${what} is not a size a disk can have.`)
  return Number(value)
}

const need = (head: Buffer, bytes: number, name: string) => {
  if (head.length < bytes) throw refuse(`The ${name} header is cut off.`)
}

/** QCOW2 (QEMU, docs/interop/qcow2.txt). Bits 0 to 4 of the incompatible features are known; bit 2 is an external data file. */
const qcow2: Format = {
  name: 'qcow2',
  matches: ({ head }) => ascii(head, 0, 'QFI\xfb'),
  virtualSize({ head }) {
    need(head, 72, 'QCOW2')
    const version = head.readUInt32BE(4)
    if (version !== 2 && version !== 3) throw refuse(`QCOW2 version ${version} is not known.`)
    if (head.readBigUInt64BE(8) !== 0n || head.readUInt32BE(16) !== 0) throw refuse('The image has a backing file.')
    const clusterBits = head.readUInt32BE(20)
    if (clusterBits < 9 || clusterBits > 21) throw refuse('The QCOW2 has clusters of a size that is not known.')
    if (version === 3) {
      need(head, 104, 'QCOW2')
      const features = head.readBigUInt64BE(72)
      if (features & 4n) throw refuse('The image has an external data file.')
      if (features & ~0x1bn) throw refuse('The image has features that are not known.')
      refuseDataFileName(head)
    }
    return size(head.readBigUInt64BE(24), 'QCOW2 size')
  },
}

/** The header extension that names a data file is refused whatever the feature bits say. */
function refuseDataFileName(head: Buffer): void {
  let at = head.readUInt32BE(100)
  if (at < 104) throw refuse('The QCOW2 header says that it is shorter than it is.')
  for (let n = 0; n < 64 && at + 8 <= head.length; n++) {
    const [type, length] = [head.readUInt32BE(at), head.readUInt32BE(at + 4)]
    if (type === 0) return
    if (type === 0x44415441) throw refuse('The image names an external data file.')
    at += 8 + Math.ceil(length / 8) * 8
  }
}

/** VMDK (VMware, Virtual Disk Format 5.0): only the sparse kinds in one file, whose descriptor names no other. */
const vmdk: Format = {
  name: 'vmdk',
  matches: ({ head }) => ascii(head, 0, 'KDMV') || ascii(head, 0, '# Disk DescriptorFile'),
  virtualSize({ head, tail, sizeBytes }) {
    if (!ascii(head, 0, 'KDMV')) throw refuse('A VMDK descriptor without its data points outside itself.')
    need(head, 512, 'VMDK')
    if (head.readBigUInt64LE(56) === 0xffffffffffffffffn) refuseOtherFooter(head, tail, sizeBytes)
    const at = size(head.readBigUInt64LE(28) * 512n, 'VMDK descriptor offset')
    const length = size(head.readBigUInt64LE(36) * 512n, 'VMDK descriptor size')
    if (at < 512 || length < 1 || length > 1 << 20 || at + length > head.length)
      throw refuse('The VMDK descriptor is not where it can be read.')
    const descriptor = head.toString('latin1', at, at + length)
    const type = /^createType="([^"]*)"/im.exec(descriptor)?.[1]
    if (type !== 'monolithicSparse' && type !== 'streamOptimized') throw refuse(`VMDK of type ${type ?? 'none'} is not allowed.`)
    if (/^parentFileNameHint/im.test(descriptor) || !/^parentCID=ffffffff\s*$/im.test(descriptor))
      throw refuse('The VMDK has a parent.')
    const extents = [...descriptor.matchAll(/^(RW|RDONLY|NOACCESS)\s+\d+\s+(\w+)(?:\s+"([^"]*)")?/gim)]
    if (extents.length !== 1 || extents.some(([, , kind, file]) => kind?.toUpperCase() !== 'SPARSE' || file?.includes('/')))
      throw refuse('The VMDK points outside itself.')
    return size(head.readBigUInt64LE(12) * 512n, 'VMDK capacity')
  },
}

/** A stream-optimized one may say at its end where its parts are: it must say of the descriptor and the size what the beginning says. */
function refuseOtherFooter(head: Buffer, tail: Buffer, sizeBytes: number): void {
  const footer = tail.subarray(-1024, -512)
  if (sizeBytes < 1536 || !ascii(footer, 0, 'KDMV')) throw refuse('The VMDK has no footer.')
  for (const at of [12, 28, 36])
    if (footer.readBigUInt64LE(at) !== head.readBigUInt64LE(at)) throw refuse('The footer of the VMDK contradicts its header.')
}

/** VHD (Microsoft, Virtual Hard Disk Image Format): dynamic ones (3) begin with a copy of the footer; differencing ones (4) have a parent. */
const vhd: Format = {
  name: 'vhd',
  matches: ({ head }) => ascii(head, 0, 'conectix'),
  virtualSize({ head }) {
    need(head, 512, 'VHD')
    const type = head.readUInt32BE(60)
    if (type !== 2 && type !== 3) throw refuse('The VHD has a parent or a type that is not known.')
    return size(head.readBigUInt64BE(48), 'VHD size')
  },
}

/** A fixed VHD (2) is its bytes and a footer. Nothing tells it from a raw disk but that, so it is one only where one was declared. */
const fixedVhd: Format = {
  name: 'vhd',
  matches: ({ tail }) => ascii(tail.subarray(-512), 0, 'conectix') && tail.subarray(-512).readUInt32BE(60) === 2,
  virtualSize: ({ tail, sizeBytes }) => {
    const virtual = size(tail.subarray(-512).readBigUInt64BE(48), 'VHD size')
    if (virtual !== sizeBytes - 512) throw refuse('The VHD is not as large as its footer says.')
    return virtual
  },
}

/** VHDX ([MS-VHDX]): its size stands in a metadata item; a parent locator is refused. */
const vhdx: Format = {
  name: 'vhdx',
  matches: ({ head }) => ascii(head, 0, 'vhdxfile'),
  virtualSize({ head }) {
    const region = metadataRegion(head)
    const count = head.readUInt16LE(region + 10)
    let found: number | undefined
    for (let n = 0; n < Math.min(count, 2047); n++) {
      const entry = region + 32 + n * 32
      if (entry + 32 > head.length) throw refuse('The VHDX metadata is cut off.')
      const id = head.toString('hex', entry, entry + 16)
      if (id === '2d5fd3a80bb34d45abf7d3d84834ab0c') throw refuse('The VHDX has a parent.')
      if (id !== '2442a52f1bcd7648b2115dbed83bf4b8') continue
      const at = region + head.readUInt32LE(entry + 16)
      if (at + 8 > head.length) throw refuse('The VHDX metadata is cut off.')
      found = size(head.readBigUInt64LE(at), 'VHDX size')
    }
    if (found === undefined) throw refuse('The VHDX does not say its size.')
    return found
  },
}

function metadataRegion(head: Buffer): number {
  const table = 192 * 1024
  need(head, table + 16, 'VHDX')
  const count = Math.min(head.readUInt32LE(table + 8), 2047)
  for (let n = 0; n < count; n++) {
    const entry = table + 16 + n * 32
    need(head, entry + 32, 'VHDX')
    if (head.toString('hex', entry, entry + 16) !== '06a27c8b90479a4bb8fe575f050f886e') continue
    const at = size(head.readBigUInt64LE(entry + 16), 'VHDX region')
    need(head, at + 64, 'VHDX')
    return at
  }
  throw refuse('The VHDX has no metadata.')
}

/** VDI (VirtualBox): type 4 is a difference to another file. */
const vdi: Format = {
  name: 'vdi',
  matches: ({ head }) => head.length >= 68 && head.readUInt32LE(64) === 0xbeda107f,
  virtualSize({ head }) {
    need(head, 376, 'VDI')
    if (head.readUInt32LE(76) > 2) throw refuse('The VDI is a difference to another file.')
    return size(head.readBigUInt64LE(368), 'VDI size')
  },
}

/** Ploop (Virtuozzo, ploop1_image header): the older kind counts its sectors in 32 bits. */
const ploop: Format = {
  name: 'ploop',
  matches: ({ head }) => ascii(head, 0, 'WithoutFreeSpace') || ascii(head, 0, 'WithouFreSpacExt'),
  virtualSize({ head, sizeBytes }) {
    need(head, 64, 'ploop')
    if (head.readUInt32LE(16) !== 2) throw refuse(`Ploop version ${head.readUInt32LE(16)} is not known.`)
    if (head.readUInt32LE(28) === 0) throw refuse('The ploop has blocks of no size.')
    if (head.readBigUInt64LE(56) * 512n > BigInt(sizeBytes)) throw refuse('The ploop points outside itself.')
    const sectors = ascii(head, 0, 'WithoutFreeSpace') ? BigInt(head.readUInt32LE(36)) : head.readBigUInt64LE(36)
    return size(sectors * 512n, 'ploop size')
  },
}

/** Formats that need no more than their mark. */
const marked = (name: string, at: number, ...marks: string[]): Format => ({
  name,
  matches: ({ head }) => marks.some((mark) => ascii(head, at, mark)),
})

const formats: Format[] = [
  qcow2,
  vmdk,
  vhd,
  vhdx,
  vdi,
  marked('qed', 0, 'QED\0'),
  ploop,
  marked('luks', 0, 'LUKS\xba\xbe'),
  marked('iso', 32_769, 'CD001'),
  marked('gpt', 512, 'EFI PART'),
  { name: 'mbr', matches: ({ head }) => head.length >= 512 && head.readUInt16LE(510) === 0xaa55 && partitions(head) },
]

/** A boot sector without partitions (a FAT file system) is no partition table: each entry's flag must be 0 or 0x80, and one must have a type. */
const partitions = (head: Buffer): boolean => {
  const entries = [446, 462, 478, 494]
  return entries.every((at) => (head[at]! & 0x7f) === 0) && entries.some((at) => head[at + 4] !== 0)
}

/** Every format whose mark is there: a file that is two things at once is refused by the caller. */
export function detect(edges: Edges, declared: string): Format[] {
  const found = formats.filter((format) => format.matches(edges))
  return declared === 'vhd' && !found.includes(vhd) && fixedVhd.matches(edges) ? [...found, fixedVhd] : found
}
