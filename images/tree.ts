import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../src/kit/exec/exec.ts'

/** Programs that others look for in /sbin; all others of busybox go to /bin. */
const inSbin = new Set(
  'init switch_root udhcpc getty acpid insmod blockdev findfs ifconfig poweroff reboot halt uevent syslogd'.split(' '),
)

const folders = [
  ...['bin', 'sbin', 'usr/bin', 'usr/sbin', 'lib/x86_64-linux-gnu', 'lib64', 'dev', 'proc', 'sys', 'mnt', 'media/config'],
  ...['root/.ssh', 'home/cirros/.ssh', 'etc/init.d', 'etc/acpi/PWRF', 'etc/dropbear', 'run', 'tmp', 'var/log'],
]

/** Where a file of a package goes in the guest. */
const programs: Record<string, string> = {
  'usr/sbin/dropbear': 'usr/sbin/dropbear',
  'usr/bin/dbclient': 'usr/bin/dbclient',
  'usr/bin/dropbearkey': 'usr/bin/dropbearkey',
  'sbin/resize2fs': 'sbin/resize2fs',
  'bin/busybox': 'bin/busybox',
  'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2': 'lib64/ld-linux-x86-64.so.2',
}
const libraries = ['libc.so.6', 'libcrypt.so.1', 'libz.so.1', 'libe2p.so.2', 'libext2fs.so.2', 'libcom_err.so.2']
const usrLibraries = ['libtomcrypt.so.1', 'libtommath.so.1', 'libgmp.so.10']

/** Where a file of `images/guest` goes, and whether it is run. */
const ours: Record<string, { to: string; runs: boolean }> = {
  inittab: { to: 'etc/inittab', runs: false },
  rcS: { to: 'etc/init.d/rcS', runs: true },
  dhcp: { to: 'etc/init.d/dhcp', runs: true },
  meta: { to: 'etc/init.d/meta', runs: true },
  'udhcpc.script': { to: 'etc/udhcpc.script', runs: true },
  'uevent.sh': { to: 'etc/uevent.sh', runs: true },
  // The name is what acpid calls the event.
  'power-button': { to: 'etc/acpi/PWRF/00000080', runs: true },
}

/** `gocubsgo`, as in CirrOS: known to all, so it opens the console and nothing else. Made by `openssl passwd -6`. */
const consolePassword = '$6$altostackmini$v7bRSZ9dx.ZmBuvNw3Pi4MrVD6LBELogw72nubPA3Zk.1MJyxmVYNPdXJl.ER8E3iWe2V338kDGlXvg.sHTZd1'

const texts: Record<string, string> = {
  'etc/passwd': ['root:*:0:0:root:/root:/bin/sh', `cirros:${consolePassword}:1000:1000:cirros:/home/cirros:/bin/sh`, ''].join(
    '\n',
  ),
  'etc/group': 'root:x:0:\ncirros:x:1000:\n',
  'etc/shells': '/bin/sh\n',
  'etc/issue': 'mini: a small guest\n',
}

/** Lays out the guest's root below `root`, from unpacked packages and our own files. */
export async function layOut(exec: Exec, root: string, unpacked: string, guestFiles: string): Promise<void> {
  const put = async (from: string, to: string, runs: boolean) => {
    await copyFile(from, join(root, to))
    await chmod(join(root, to), runs ? 0o755 : 0o644)
  }
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
  const wanted = [
    ...Object.entries(programs),
    ...libraries.map((name) => [`lib/x86_64-linux-gnu/${name}`, `lib/x86_64-linux-gnu/${name}`] as const),
    ...usrLibraries.map((name) => [`usr/lib/x86_64-linux-gnu/${name}`, `lib/x86_64-linux-gnu/${name}`] as const),
  ]
  for (const [from, to] of wanted) await put(join(unpacked, from), to, true)
  for (const [from, { to, runs }] of Object.entries(ours)) await put(join(guestFiles, from), to, runs)
  for (const [path, text] of Object.entries(texts)) await writeFile(join(root, path), text)
  await symlink('/proc/mounts', join(root, 'etc/mtab'))
  await symlink('dbclient', join(root, 'usr/bin/ssh'))
  for (const path of ['root', 'root/.ssh', 'home/cirros/.ssh']) await chmod(join(root, path), 0o700)
  await linkApplets(exec, root)
}

async function linkApplets(exec: Exec, root: string): Promise<void> {
  const applets = (await exec.run([join(root, 'bin/busybox'), '--list'])).split('\n').filter((name) => name && name !== 'busybox')
  const pathOf = (name: string) => join(root, inSbin.has(name) ? 'sbin' : 'bin', name)
  // A real program of a package stays.
  await Promise.all(applets.map((name) => symlink('/bin/busybox', pathOf(name)).catch(ifThere)))
}

const ifThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error
}
