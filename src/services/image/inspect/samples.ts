/** Images as small as they can be, made as their specifications say; tests bend them. */

export const qcow2 = ({ version = 3, virtual = 1 << 20, backing = 0, features = 0n, clusterBits = 16 } = {}): Buffer => {
  const bytes = Buffer.alloc(512)
  bytes.write('QFI\xfb', 'latin1')
  bytes.writeUInt32BE(version, 4)
  bytes.writeBigUInt64BE(BigInt(backing), 8)
  bytes.writeUInt32BE(backing === 0 ? 0 : 11, 16)
  bytes.writeUInt32BE(clusterBits, 20)
  bytes.writeBigUInt64BE(BigInt(virtual), 24)
  bytes.writeBigUInt64BE(features, 72)
  bytes.writeUInt32BE(104, 100)
  return bytes
}

/** A header extension of this type, after the header. */
export const withExtension = (bytes: Buffer, type: number, text: string): Buffer => {
  const copy = Buffer.from(bytes)
  copy.writeUInt32BE(type, 104)
  copy.writeUInt32BE(text.length, 108)
  copy.write(text, 112)
  return copy
}

export const vmdkDescriptor = ({
  type = 'monolithicSparse',
  extents = ['RW 2048 SPARSE "a.vmdk"'],
  more = [] as string[],
} = {}): string =>
  [
    '# Disk DescriptorFile',
    'version=1',
    'CID=12345678',
    'parentCID=ffffffff',
    `createType="${type}"`,
    ...more,
    ...extents,
    '',
  ].join('\n')

export const vmdk = (descriptor = vmdkDescriptor(), sectors = 2048): Buffer => {
  const bytes = Buffer.alloc(512 * 21)
  bytes.write('KDMV', 'latin1')
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(BigInt(sectors), 12)
  bytes.writeBigUInt64LE(1n, 28)
  bytes.writeBigUInt64LE(20n, 36)
  bytes.write(descriptor, 512, 'latin1')
  return bytes
}

export const vhdFooter = (type: number, virtual: number): Buffer => {
  const bytes = Buffer.alloc(512)
  bytes.write('conectix', 'latin1')
  bytes.writeBigUInt64BE(BigInt(virtual), 48)
  bytes.writeUInt32BE(type, 60)
  return bytes
}

export const vdi = (type = 1, virtual = 1 << 20): Buffer => {
  const bytes = Buffer.alloc(512)
  bytes.writeUInt32LE(0xbeda107f, 64)
  bytes.writeUInt32LE(type, 76)
  bytes.writeBigUInt64LE(BigInt(virtual), 368)
  return bytes
}

const metadataRegion = '06a27c8b90479a4bb8fe575f050f886e'
export const vhdxItems = { size: '2442a52f1bcd7648b2115dbed83bf4b8', parent: '2d5fd3a80bb34d45abf7d3d84834ab0c' }

export const vhdx = (virtual = 1 << 20, items = [vhdxItems.size]): Buffer => {
  const [table, region] = [192 * 1024, 1 << 20]
  const bytes = Buffer.alloc(region + 128 * 1024)
  bytes.write('vhdxfile', 'latin1')
  bytes.write('regi', table, 'latin1')
  bytes.writeUInt32LE(1, table + 8)
  bytes.write(metadataRegion, table + 16, 'hex')
  bytes.writeBigUInt64LE(BigInt(region), table + 32)
  bytes.write('metadata', region, 'latin1')
  bytes.writeUInt16LE(items.length, region + 10)
  items.forEach((item, at) => {
    bytes.write(item, region + 32 + at * 32, 'hex')
    bytes.writeUInt32LE(64 * 1024, region + 48 + at * 32)
  })
  bytes.writeBigUInt64LE(BigInt(virtual), region + 64 * 1024)
  return bytes
}

export const iso = (): Buffer => {
  const bytes = Buffer.alloc(40_000)
  bytes.write('CD001', 32_769, 'latin1')
  return bytes
}

export const mbr = (type = 0x83): Buffer => {
  const bytes = Buffer.alloc(1024)
  bytes.writeUInt16LE(0xaa55, 510)
  bytes[450] = type
  return bytes
}

export const gpt = (): Buffer => {
  const bytes = mbr(0xee)
  bytes.write('EFI PART', 512, 'latin1')
  return bytes
}

export const ploop = ({
  magic = 'WithouFreSpacExt',
  version = 2,
  tracks = 2048,
  sectors = 2048n,
  extension = 0n,
} = {}): Buffer => {
  const bytes = Buffer.alloc(4096)
  bytes.write(magic, 0, 'latin1')
  bytes.writeUInt32LE(version, 16)
  bytes.writeUInt32LE(tracks, 28)
  bytes.writeBigUInt64LE(sectors, 36)
  bytes.writeBigUInt64LE(extension, 56)
  return bytes
}

export type TarMember = { name: string; content?: Buffer; type?: string; prefix?: string }

/** A tar archive (ustar) with two empty blocks at its end. */
export const tar = (...members: TarMember[]): Buffer =>
  Buffer.concat([
    ...members.flatMap(({ name, content = Buffer.alloc(0), type = '0', prefix = '' }) => {
      const header = Buffer.alloc(512)
      header.write(name, 0, 'latin1')
      header.write(content.length.toString(8).padStart(11, '0'), 124, 'latin1')
      header.write(type, 156, 'latin1')
      header.write('ustar\x0000', 257, 'latin1')
      header.write(prefix, 345, 'latin1')
      return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
    }),
    Buffer.alloc(1024),
  ])
