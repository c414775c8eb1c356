/** A QCOW2 file (version 3, QEMU's docs/interop/qcow2.txt) of so many bytes of zeros: a header and empty tables. */
export function emptyQcow2(virtualBytes: number): Buffer {
  const clusterBits = 16
  const cluster = 1 << clusterBits
  // One table of level 1 entries, each for cluster/8 clusters.
  const l1Entries = Math.max(1, Math.ceil(virtualBytes / ((cluster / 8) * cluster)))
  const file = Buffer.alloc(4 * cluster)
  file.write('QFI\xfb', 0, 'latin1')
  file.writeUInt32BE(3, 4)
  file.writeUInt32BE(clusterBits, 20)
  file.writeBigUInt64BE(BigInt(virtualBytes), 24)
  file.writeUInt32BE(l1Entries, 36)
  file.writeBigUInt64BE(BigInt(3 * cluster), 40)
  file.writeBigUInt64BE(BigInt(cluster), 48)
  file.writeUInt32BE(1, 56)
  file.writeUInt32BE(4, 96)
  file.writeUInt32BE(104, 100)
  // The refcount table names one block, which counts the four clusters once each.
  file.writeBigUInt64BE(BigInt(2 * cluster), cluster)
  for (let n = 0; n < 4; n++) file.writeUInt16BE(1, 2 * cluster + 2 * n)
  return file
}
