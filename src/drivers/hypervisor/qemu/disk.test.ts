import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diskBytes, diskPlan, hasDisk } from './disk.ts'

const image = { id: 'i', format: 'raw', sizeBytes: 1, sha512: '', virtualSizeBytes: 3 * 2 ** 30 } as const
const there = { virtualSizeBytes: 1000, backingFile: '/i', hasDataFile: false }

test('a disk is as large as asked for and never smaller than its image', () => {
  assert.equal(diskBytes({ image, diskGb: 5 }), 5 * 2 ** 30)
  assert.equal(diskBytes({ image, diskGb: 0 }), 3 * 2 ** 30)
  assert.equal(diskBytes({ image, diskGb: 1 }), 3 * 2 ** 30)
  assert.ok(!hasDisk({ image: undefined, diskGb: 0 }))
})

test('a disk that is there is kept or grown, never shrunk', () => {
  assert.equal(diskPlan(undefined, 1000, '/i'), 'make')
  assert.equal(diskPlan(there, 1000, '/i'), 'keep')
  assert.equal(diskPlan(there, 999, '/i'), 'keep')
  assert.equal(diskPlan(there, 1001, '/i'), 'grow')
})

test('a disk over anything but the image it should be over is made anew', () => {
  assert.equal(diskPlan(there, 1000, '/other'), 'make')
  assert.equal(diskPlan({ ...there, hasDataFile: true }, 1000, '/i'), 'make')
})
