import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isProblem } from '../../../kit/errors.ts'
import { headBytes, openInspector, tailBytes } from './inspect.ts'
import {
  gpt,
  iso,
  mbr,
  ploop,
  qcow2,
  type TarMember,
  tar,
  vdi,
  vhdFooter,
  vhdx,
  vhdxItems,
  vmdk,
  vmdkDescriptor,
  withExtension,
} from './samples.ts'

const judge = (bytes: Buffer, disk: string, container = 'bare', step = 65_536) => {
  const inspector = openInspector()
  for (let at = 0; at < bytes.length; at += step) inspector.feed(bytes.subarray(at, at + step))
  return inspector.judge({ disk, container })
}
const accepts = (bytes: Buffer, disk: string, virtual: number | undefined, container = 'bare') =>
  assert.equal(judge(bytes, disk, container).virtualSizeBytes, virtual)
const refuses = (bytes: Buffer, disk: string, message: RegExp, container = 'bare') =>
  assert.throws(
    () => judge(bytes, disk, container),
    (error) => {
      assert.match((error as Error).message, message)
      return isProblem(error, 'invalid') && error.code === 'bad-format'
    },
  )
const mebibyte = 1 << 20

test('every format is what it says, and tells how large its disk is', () => {
  accepts(qcow2(), 'qcow2', mebibyte)
  accepts(qcow2({ version: 2 }), 'qcow2', mebibyte)
  accepts(qcow2({ features: 0x1bn }), 'qcow2', mebibyte)
  accepts(vmdk(), 'vmdk', mebibyte)
  accepts(vdi(), 'vdi', mebibyte)
  accepts(vhdx(), 'vhdx', mebibyte)
  accepts(vhdFooter(3, mebibyte), 'vhd', mebibyte)
  accepts(Buffer.concat([Buffer.alloc(4096), vhdFooter(2, 4096)]), 'vhd', 4096)
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), iso(), mbr(), gpt(), Buffer.from('LUKS\xba\xbe', 'latin1')])
    accepts(bytes, 'raw', bytes.length)
  accepts(iso(), 'iso', 40_000)
})

test('content that is another format than declared is refused', () => {
  const samples = { qcow2: qcow2(), vmdk: vmdk(), vdi: vdi(), vhdx: vhdx(), vhd: vhdFooter(3, mebibyte) }
  for (const [name, bytes] of Object.entries(samples))
    for (const declared of ['raw', 'iso', 'ami', ...Object.keys(samples)])
      if (declared !== name) refuses(bytes, declared, /declared to be/)
  for (const declared of ['qcow2', 'vmdk', 'vdi', 'vhdx', 'vhd', 'ploop'])
    refuses(Buffer.alloc(1 << 16), declared, /declared to be/)
  refuses(Buffer.from('QED\0'), 'raw', /content is qed/)
})

test('what stands in a container of its own may hide its disk, but a disk that shows is judged', () => {
  accepts(Buffer.alloc(512), 'vmdk', undefined, 'ova')
  accepts(Buffer.alloc(512), 'qcow2', undefined, 'compressed')
  refuses(qcow2({ backing: 200 }), 'qcow2', /backing file/, 'ova')
  refuses(qcow2(), 'raw', /declared to be/, 'ovf')
})

test('OSSA-2024-001, OSSA-2015-014: a QCOW2 that names another file is refused, whatever it calls it', () => {
  refuses(qcow2({ backing: 200 }), 'qcow2', /backing file/)
  refuses(qcow2({ backing: 200, version: 2 }), 'qcow2', /backing file/)
  refuses(qcow2({ features: 4n }), 'qcow2', /external data file/)
  refuses(qcow2({ features: 5n }), 'qcow2', /external data file/)
  refuses(withExtension(qcow2(), 0x44415441, 'raw-data-file'), 'qcow2', /external data file/)
  refuses(qcow2({ features: 1n << 40n }), 'qcow2', /not known/)
  refuses(qcow2({ version: 4 }), 'qcow2', /version/)
  refuses(qcow2({ clusterBits: 31 }), 'qcow2', /clusters/)
  refuses(qcow2().subarray(0, 90), 'qcow2', /cut off/)
  refuses(qcow2({ virtual: 2 ** 60 }), 'qcow2', /size/)
})

test('OSSA-2023-002: a VMDK that names another file is refused', () => {
  refuses(
    Buffer.from(vmdkDescriptor({ type: 'monolithicFlat', extents: ['RW 1 FLAT "/etc/passwd" 0'] })),
    'vmdk',
    /outside itself/,
  )
  for (const type of ['monolithicFlat', 'twoGbMaxExtentFlat', 'vmfs', 'custom', ''])
    refuses(vmdk(vmdkDescriptor({ type })), 'vmdk', /not allowed/)
  for (const extents of [
    [],
    ['RW 1 FLAT "a.vmdk" 0'],
    ['RW 1 SPARSE "/dev/sda"'],
    ['RW 1 SPARSE "a"', 'RW 1 FLAT "/etc/passwd" 0'],
    ['rw 1 flat "/etc/passwd" 0'],
  ])
    refuses(vmdk(vmdkDescriptor({ extents })), 'vmdk', /outside itself/)
  // Sectors that are a number, and bytes that are none.
  refuses(vmdk(vmdkDescriptor(), 2 ** 50), 'vmdk', /not a size/)
  refuses(vmdk(vmdkDescriptor({ more: ['parentFileNameHint="/etc/passwd"'] })), 'vmdk', /parent/)
  refuses(vmdk(vmdkDescriptor().replace('ffffffff', '12345678')), 'vmdk', /parent/)
})

test('a VMDK whose footer contradicts its header is refused', () => {
  const header = vmdk(vmdkDescriptor({ type: 'streamOptimized' }))
  header.writeBigUInt64LE(0xffffffffffffffffn, 56)
  const footer = Buffer.from(header.subarray(0, 512))
  accepts(Buffer.concat([header, footer, Buffer.alloc(512)]), 'vmdk', mebibyte)
  footer.writeBigUInt64LE(400n, 28)
  refuses(Buffer.concat([header, footer, Buffer.alloc(512)]), 'vmdk', /contradicts/)
  refuses(Buffer.concat([header, Buffer.alloc(1024)]), 'vmdk', /no footer/)
})

test('a VHD, VHDX or VDI with a parent is refused', () => {
  refuses(vhdFooter(4, mebibyte), 'vhd', /parent/)
  refuses(vhdx(mebibyte, [vhdxItems.size, vhdxItems.parent]), 'vhdx', /parent/)
  refuses(vhdx(mebibyte, []), 'vhdx', /size/)
  refuses(vdi(4), 'vdi', /difference/)
  refuses(Buffer.concat([Buffer.alloc(4096), vhdFooter(2, 9000)]), 'vhd', /footer/)
})

test('a file that is two formats at once is refused as either', () => {
  const both = qcow2()
  both.writeUInt32LE(0xbeda107f, 64)
  for (const declared of ['qcow2', 'vdi', 'raw']) refuses(both, declared, /at once/)
})

test('how the bytes are cut makes no difference', () => {
  for (const [bytes, disk] of [
    [qcow2(), 'qcow2'],
    [Buffer.concat([Buffer.alloc(4096), vhdFooter(2, 4096)]), 'vhd'],
    [iso(), 'iso'],
  ] as const)
    for (const step of [1, 7, 511, 513, 5000]) assert.deepEqual(judge(bytes, disk, 'bare', step), judge(bytes, disk))
})

test('an inspector keeps the edges only, however much passes', () => {
  const inspector = openInspector()
  const before = process.memoryUsage().arrayBuffers
  const chunk = Buffer.alloc(1 << 20)
  for (let n = 0; n < 2000; n++) inspector.feed(chunk)
  globalThis.gc?.()
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * headBytes + tailBytes)
  assert.equal(inspector.judge({ disk: 'raw', container: 'bare' }).virtualSizeBytes, 2000 << 20)
})

test('no bytes at all make the inspector do anything but judge', () => {
  const seeds = [qcow2(), vmdk(), vdi(), vhdx(), vhdFooter(3, 1), vhdFooter(2, 1), iso(), gpt()]
  const declared = fc.constantFrom('raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vhd', 'iso', 'ploop')
  const bent = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 20 }), fc.nat())
    .map(([seed, bends, cut]) => {
      const bytes = Buffer.from(seed)
      // Most fields stand at the beginning; bends far behind would hit nothing.
      for (const [at, value] of bends) bytes[at % (at % 3 === 0 ? bytes.length : 600)] = value
      return bytes.subarray(0, cut % 4 === 0 ? cut % bytes.length : bytes.length)
    })
  const anything = fc.oneof(
    bent,
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(anything, declared, (bytes, disk) => {
      try {
        const { virtualSizeBytes = 0 } = judge(bytes, disk)
        assert.ok(Number.isSafeInteger(virtualSizeBytes) && virtualSizeBytes >= 0)
      } catch (error) {
        assert.ok(isProblem(error, 'invalid') && error.code === 'bad-format', String(error))
      }
    }),
    { numRuns: 1500 },
  )
})

test('a ploop tells its size, and is refused when it contradicts itself', () => {
  accepts(ploop(), 'ploop', mebibyte)
  accepts(ploop({ magic: 'WithoutFreeSpace', sectors: (7n << 32n) | 2048n }), 'ploop', mebibyte)
  refuses(ploop({ version: 3 }), 'ploop', /version/)
  refuses(ploop({ tracks: 0 }), 'ploop', /blocks/)
  refuses(ploop({ extension: 1n << 40n }), 'ploop', /outside itself/)
  refuses(ploop({ sectors: 1n << 60n }), 'ploop', /size/)
  refuses(ploop().subarray(0, 40), 'ploop', /cut off/)
})

const descriptor: TarMember = { name: 'x.ovf', content: Buffer.from('<Envelope/>') }

test('OSSA-2011-001: an OVA holds plain files that lead nowhere, and disks that point to nothing outside', () => {
  accepts(tar(descriptor, { name: 'disk.vmdk', content: vmdk() }, { name: 'folder/', type: '5' }), 'vmdk', undefined, 'ova')
  accepts(tar({ ...descriptor, prefix: 'folder' }), 'vmdk', undefined, 'ova')
  for (const [member, why] of [
    [{ name: '../x' }, /leads out/],
    [{ name: '/etc/passwd' }, /leads out/],
    [{ name: 'x', prefix: 'a/..' }, /leads out/],
    [{ name: 'a\\..\\b' }, /leads out/],
    [{ name: 'link', type: '2' }, /link or a device/],
    [{ name: 'hard', type: '1' }, /link or a device/],
    [{ name: 'null', type: '3' }, /link or a device/],
    [{ name: 'long', type: 'x', content: Buffer.from('30 path=../x\n') }, /remarks/],
    [{ name: 'long', type: 'L', content: Buffer.from('../x') }, /remarks/],
    [{ name: 'disk.qcow2', content: qcow2({ backing: 200 }) }, /backing file/],
    [{ name: 'disk.vmdk', content: Buffer.from(vmdkDescriptor({ type: 'monolithicFlat' })) }, /outside itself/],
  ] as const)
    refuses(tar(descriptor, member), 'vmdk', why, 'ova')
  refuses(tar({ name: 'disk.vmdk', content: vmdk() }), 'vmdk', /no OVF descriptor/, 'ova')
  refuses(tar({ name: 'x.ovf', content: Buffer.alloc(2000) }).subarray(0, 1500), 'vmdk', /cut off/, 'ova')
  refuses(tar(...Array.from({ length: 1001 }, (_, at) => ({ name: `${at}` }))), 'vmdk', /more than/, 'ova')
  const damaged = tar(descriptor)
  damaged.write('zz', 124, 'latin1')
  refuses(damaged, 'vmdk', /how large/, 'ova')
})

test('whatever is done to an archive, walking it ends, and says only what a refusal says', () => {
  const whole = tar(descriptor, { name: 'disk.vmdk', content: vmdk() }, { name: 'b', content: Buffer.alloc(700) })
  fc.assert(
    fc.property(
      fc.nat(whole.length - 1),
      fc.nat(255),
      fc.nat(whole.length),
      fc.integer({ min: 1, max: 5000 }),
      (at, byte, cut, step) => {
        const bytes = Buffer.from(whole.subarray(0, cut))
        if (at < cut) bytes[at] = byte
        try {
          judge(bytes, 'vmdk', 'ova', step)
        } catch (error) {
          assert.ok(isProblem(error, 'invalid') && error.code === 'bad-format', String(error))
        }
      },
    ),
    { numRuns: 300 },
  )
})
