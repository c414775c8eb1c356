import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fat16, linux, masterBootRecord } from './mbr.ts'

test('a boot record has its code, its partitions and its signature', () => {
  const sector = masterBootRecord(Buffer.alloc(440, 0x90), [
    { startSector: 2048, sectors: 100, type: fat16, bootable: true },
    { startSector: 2148, sectors: 70_000, type: linux, bootable: false },
  ])
  assert.equal(sector.length, 512)
  assert.equal(sector[439], 0x90)
  assert.deepEqual([sector[446], sector[450], sector.readUInt32LE(454), sector.readUInt32LE(458)], [0x80, 0x06, 2048, 100])
  assert.deepEqual([sector[462], sector[466], sector.readUInt32LE(470), sector.readUInt32LE(474)], [0, 0x83, 2148, 70_000])
  assert.equal(sector.readUInt16LE(510), 0xaa55)
})

test('boot code that is too long does not reach the partitions', () => {
  assert.deepEqual(masterBootRecord(Buffer.alloc(600, 1), []).subarray(440, 510), Buffer.alloc(70))
})
