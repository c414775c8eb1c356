/** What the real qemu-img makes, judged by our parser as an upload is: a line for each proof. Needs qemu-utils, and no root. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryBlobs } from '../../../src/drivers/blobs/index.ts'
import { explainError, isProblem } from '../../../src/kit/errors.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { openInspector } from '../../../src/services/image/inspect/inspect.ts'
import { openConvert } from '../../../src/services/image/work/convert.ts'

const exec = openExec(silentLog)
const folder = await mkdtemp(join(tmpdir(), 'altostack-images-'))
const size = 64 << 20

let failures = 0
async function prove(what: string, proof: () => Promise<void>): Promise<void> {
  try {
    await proof()
    console.log(`ok   ${what}`)
  } catch (error) {
    failures++
    console.log(`FAIL ${what}: ${explainError(error)}`)
  }
}

const create = async (name: string, format: string, options = '', more: string[] = []): Promise<string> => {
  const file = join(folder, name)
  await exec.run([
    'qemu-img',
    'create',
    '-q',
    '-f',
    format,
    ...(options === '' ? [] : ['-o', options]),
    ...more,
    file,
    String(size),
  ])
  return file
}

async function judge(file: string, disk: string) {
  const inspector = openInspector()
  for await (const chunk of createReadStream(file)) inspector.feed(chunk as Buffer)
  return inspector.judge({ disk, container: 'bare' })
}

const accepted: [name: string, disk: string, make: () => Promise<string>][] = [
  ['a raw disk', 'raw', () => create('raw', 'raw')],
  ['QCOW2 version 2', 'qcow2', () => create('v2', 'qcow2', 'compat=0.10')],
  [
    'QCOW2 version 3 with all its features',
    'qcow2',
    () => create('v3', 'qcow2', 'lazy_refcounts=on,extended_l2=on,compression_type=zstd'),
  ],
  ['VMDK, sparse', 'vmdk', () => create('sparse.vmdk', 'vmdk')],
  ['VMDK, stream optimized', 'vmdk', () => create('stream.vmdk', 'vmdk', 'subformat=streamOptimized')],
  ['VHDX', 'vhdx', () => create('vhdx', 'vhdx')],
  ['VDI', 'vdi', () => create('vdi', 'vdi')],
  ['ploop', 'ploop', () => create('ploop', 'parallels')],
  ['VHD, dynamic', 'vhd', () => create('dynamic.vhd', 'vpc', 'force_size=on')],
  ['VHD, fixed', 'vhd', () => create('fixed.vhd', 'vpc', 'subformat=fixed,force_size=on')],
]

const refused: [name: string, disk: string, make: () => Promise<string>, why: RegExp][] = [
  [
    'QCOW2 with a backing file',
    'qcow2',
    async () => create('back', 'qcow2', '', ['-F', 'raw', '-b', await create('base', 'raw')]),
    /backing/,
  ],
  ['QCOW2 with a data file', 'qcow2', () => create('data', 'qcow2', `data_file=${join(folder, 'its-data')}`), /data file/],
  ['QCOW2 that calls itself raw', 'raw', () => create('liar', 'qcow2'), /declared/],
  ['VMDK with flat extents', 'vmdk', () => create('flat.vmdk', 'vmdk', 'subformat=monolithicFlat'), /outside itself/],
  [
    'VMDK with a parent',
    'vmdk',
    async () => create('child.vmdk', 'vmdk', '', ['-F', 'vmdk', '-b', await create('parent.vmdk', 'vmdk')]),
    /parent/,
  ],
  ['QED', 'raw', () => create('qed', 'qed'), /declared/],
]

try {
  for (const [name, disk, make] of accepted)
    await prove(`${name} is accepted, and its size is known`, async () =>
      assert.equal((await judge(await make(), disk)).virtualSizeBytes, size),
    )
  for (const [name, disk, make, why] of refused)
    await prove(`${name} is refused`, async () => {
      const file = await make()
      await assert.rejects(judge(file, disk), (error) => isProblem(error, 'invalid') && why.test(error.message))
    })
  for (const [to, disk] of [
    ['raw', 'qcow2'],
    ['qcow2', 'vmdk'],
    ['qcow2', 'vhdx'],
  ] as const)
    await prove(`a ${disk} becomes a ${to} of the same size`, async () => {
      const convert = openConvert({ to, folder, exec })
      const blobs = memoryBlobs()
      const [from, into] = [randomUUID(), randomUUID()]
      await blobs.write(from, createReadStream(await create(`convert-${disk}`, disk)), { maxBytes: 1 << 30 })
      const made = await convert({ blobs, from, into, format: disk, virtualSizeBytes: size, maxBytes: 1 << 30 })
      assert.deepEqual([made.virtualSizeBytes, await blobs.size(into)], [size, made.sizeBytes])
    })
  await prove('OSSA-2016-012: a converter that wants more memory than it may have is ended', async () => {
    const convert = openConvert({ to: 'raw', folder, exec, maxMemoryBytes: 1 << 20 })
    const blobs = memoryBlobs()
    const [from, into] = [randomUUID(), randomUUID()]
    await blobs.write(from, createReadStream(await create('limited', 'qcow2')), { maxBytes: 1 << 30 })
    const ask = { blobs, from, into, format: 'qcow2', virtualSizeBytes: size, maxBytes: 1 << 30 }
    await assert.rejects(convert(ask), (error) => isProblem(error, 'invalid'))
    assert.equal(await blobs.size(into), undefined)
  })
} finally {
  await rm(folder, { recursive: true })
}
process.exitCode = failures === 0 ? 0 : 1
