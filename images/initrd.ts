import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type CpioEntry, cpio } from './cpio.ts'
import { dependsOf, insertOrder, plainName } from './modules.ts'

/** What the first stage calls. */
const applets = 'sh mount insmod cat sleep findfs readlink dd printf blockdev switch_root echo'.split(' ')

export type InitrdParts = { unpacked: string; init: string; modules: readonly string[] }

/** The first stage: busybox, the drivers and the script that finds the disk. Not compressed: unpacking costs an emulated processor more than reading. */
export async function initrd({ unpacked, init, modules }: InitrdParts): Promise<Buffer> {
  const contents = await readModules(modules, await moduleFiles(unpacked))
  const order = insertOrder(modules, (name) => {
    const content = contents.get(name)
    return content && dependsOf(content)
  })
  const dirs = ['bin', 'dev', 'proc', 'sys', 'mnt', 'lib', 'lib/mod']
  return cpio([
    ...dirs.map((path): CpioEntry => ({ kind: 'dir', path })),
    { kind: 'link', path: 'sbin', to: 'bin' },
    { kind: 'file', path: 'init', content: await readFile(init), executable: true },
    { kind: 'file', path: 'bin/busybox', content: await readFile(join(unpacked, 'bin/busybox')), executable: true },
    ...applets.map((name): CpioEntry => ({ kind: 'link', path: `bin/${name}`, to: 'busybox' })),
    ...order.map((name): CpioEntry => ({ kind: 'file', path: `lib/mod/${name}.ko`, content: contents.get(name)! })),
    { kind: 'file', path: 'lib/mod/order', content: Buffer.from(order.map((name) => `${name}\n`).join('')) },
  ])
}

/** Files of modules by plain name. */
async function moduleFiles(unpacked: string): Promise<Map<string, string>> {
  const found = await readdir(join(unpacked, 'lib/modules'), { recursive: true, withFileTypes: true })
  const modules = found.filter((entry) => entry.isFile() && entry.name.endsWith('.ko'))
  return new Map(modules.map((entry) => [plainName(basename(entry.name, '.ko')), join(entry.parentPath, entry.name)]))
}

/** Contents of the wanted modules and of all they depend on. */
async function readModules(wanted: readonly string[], files: Map<string, string>): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  const add = async (name: string): Promise<void> => {
    const path = files.get(name)
    if (!path || contents.has(name)) return
    const content = await readFile(path)
    contents.set(name, content)
    for (const need of dependsOf(content)) await add(plainName(need))
  }
  for (const name of wanted) await add(plainName(name))
  return contents
}
