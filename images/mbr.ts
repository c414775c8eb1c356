export type Partition = { startSector: number; sectors: number; type: number; bootable: boolean }

/** Types of the partition table. */
export const fat16 = 0x06
export const linux = 0x83

/** A master boot record: boot code, up to four partitions by sector numbers, signature. */
export function masterBootRecord(code: Buffer, partitions: readonly Partition[]): Buffer {
  const sector = Buffer.alloc(512)
  code.copy(sector, 0, 0, Math.min(code.length, 440))
  partitions.forEach(({ startSector, sectors, type, bootable }, index) => {
    const at = 446 + 16 * index
    sector[at] = bootable ? 0x80 : 0
    // Cylinder, head and sector that say "beyond what these can say": everybody reads the sector numbers.
    for (const chs of [at + 1, at + 5]) sector.set([0xfe, 0xff, 0xff], chs)
    sector[at + 4] = type
    sector.writeUInt32LE(startSector, at + 8)
    sector.writeUInt32LE(sectors, at + 12)
  })
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}
