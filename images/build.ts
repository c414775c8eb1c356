import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Exec, openExec } from '../src/kit/exec/exec.ts'
import { type Log, openLog } from '../src/kit/log.ts'
import { downloadPackages, parseKernel } from './download.ts'
import { initrd } from './initrd.ts'
import { fat16, linux, masterBootRecord } from './mbr.ts'
import { guestPackages, kernelMetaPackage, modules } from './packages.ts'
import { layOut } from './tree.ts'

export type BuildOptions = {
  exec: Exec
  log: Log
  /** Where the qcow2 file goes. It is there whole or not at all. */
  outFile: string
  /** Where downloaded packages stay for the next time. */
  cacheDir: string
}

const guestFiles = fileURLToPath(new URL('guest', import.meta.url))
const mib = 2 ** 20
const sectorsPerMib = mib / 512
const bootMib = 24
const rootMib = 16
/** Where Debian and Red Hat put it. */
const bootCodes = ['/usr/lib/syslinux/mbr/mbr.bin', '/usr/share/syslinux/mbr.bin']

/** Builds the small guest image from the distribution's packages. Mounts nothing, installs nothing; root only so that files belong to root. */
export async function buildImage({ exec, log, outFile, cacheDir }: BuildOptions): Promise<void> {
  if (process.arch !== 'x64') throw new Error('the guest image can be built for x86-64 only')
  const started = performance.now()
  const kernel = parseKernel(await exec.run(['apt-cache', 'depends', kernelMetaPackage]))
  const packages = await downloadPackages(exec, [kernel, ...guestPackages], cacheDir)
  const downloaded = performance.now()
  const work = await mkdtemp(join(tmpdir(), 'image-'))
  try {
    await build(exec, packages, work)
    await exec.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', join(work, 'disk'), `${outFile}.part`])
    await rename(`${outFile}.part`, outFile)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const ms = (from: number, to: number) => Math.round(to - from)
  log.info({ outFile, downloadMs: ms(started, downloaded), buildMs: ms(downloaded, performance.now()) }, 'guest image built')
}

async function build(exec: Exec, packages: readonly string[], work: string): Promise<void> {
  const unpacked = join(work, 'unpacked')
  await Promise.all(packages.map((file) => exec.run(['dpkg-deb', '-x', file, unpacked])))
  await Promise.all([bootPart(exec, unpacked, work), rootPart(exec, unpacked, work)])
  await assemble(work)
}

/** A file system that firmware's boot loader reads: loader, kernel, first stage. */
async function bootPart(exec: Exec, unpacked: string, work: string): Promise<void> {
  const image = join(work, 'boot')
  const kernel = (await readdir(join(unpacked, 'boot'))).find((name) => name.startsWith('vmlinuz-'))
  if (!kernel) throw new Error('the kernel package has no kernel')
  await writeFile(join(work, 'initrd'), await initrd({ unpacked, init: join(guestFiles, 'init'), modules }))
  await copyFile(join(unpacked, 'boot', kernel), join(work, 'vmlinuz'))
  await emptyFile(image, bootMib)
  // `-h`: how many sectors lie before the partition, which the loader must know.
  await exec.run(['mkfs.fat', '-F', '16', '-h', `${sectorsPerMib}`, image], { env: sbin })
  const files = [join(work, 'vmlinuz'), join(work, 'initrd'), join(guestFiles, 'syslinux.cfg')]
  await exec.run(['mcopy', '-i', image, ...files, '::'])
  await exec.run(['syslinux', '--install', image])
}

async function rootPart(exec: Exec, unpacked: string, work: string): Promise<void> {
  const tree = join(work, 'root')
  await layOut(exec, tree, unpacked, guestFiles)
  // Without journal and checksums: an emulated processor feels them, and the guest is a small and short-lived one.
  const features = ['-O', '^has_journal,^metadata_csum,resize_inode', '-E', 'root_owner=0:0,lazy_itable_init=1']
  const argv = ['mke2fs', '-q', '-t', 'ext4', '-L', 'mini-root', ...features, '-m', '0', '-N', '4096', '-d', tree]
  await exec.run([...argv, join(work, 'root.ext4'), `${rootMib}M`], { env: sbin })
}

/** One after the other: boot record, boot part from 1 MiB on, root part, which grows in the guest and therefore comes last. */
async function assemble(work: string): Promise<void> {
  const disk = join(work, 'disk')
  await emptyFile(disk, 1 + bootMib + rootMib)
  const boot = { startSector: sectorsPerMib, sectors: bootMib * sectorsPerMib, type: fat16, bootable: true }
  const rootStart = (1 + bootMib) * sectorsPerMib
  const root = { startSector: rootStart, sectors: rootMib * sectorsPerMib, type: linux, bootable: false }
  const file = await open(disk, 'r+')
  try {
    await file.write(masterBootRecord(await bootCode(), [boot, root]), 0, 512, 0)
    for (const [part, at] of [
      ['boot', 1],
      ['root.ext4', 1 + bootMib],
    ] as const) {
      const bytes = await readFile(join(work, part))
      await file.write(bytes, 0, bytes.length, at * mib)
    }
  } finally {
    await file.close()
  }
}

/** Debian does not have these programs' folder in every user's path. */
const sbin = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

async function emptyFile(path: string, sizeMib: number): Promise<void> {
  await writeFile(path, '')
  await truncate(path, sizeMib * mib)
}

async function bootCode(): Promise<Buffer> {
  for (const path of bootCodes) {
    const bytes = await readFile(path).catch(() => undefined)
    if (bytes) return bytes
  }
  throw new Error(`there is no boot code of syslinux (${bootCodes.join(', ')})`)
}

/** `node images/build.ts OUT [CACHE]`. Without a place for downloads they are not kept. */
async function main([outFile, cache]: string[]): Promise<void> {
  if (outFile === undefined) throw new Error('usage: node images/build.ts OUT [CACHE]')
  const log = openLog()
  const cacheDir = cache ?? (await mkdtemp(join(tmpdir(), 'packages-')))
  await mkdir(cacheDir, { recursive: true })
  try {
    await buildImage({ exec: openExec(log), log, outFile, cacheDir })
  } finally {
    if (cache === undefined) await rm(cacheDir, { recursive: true, force: true })
  }
}

if (import.meta.main) await main(process.argv.slice(2))
