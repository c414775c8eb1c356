import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { Problem } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Guest } from '../driver.ts'
import { drop, isThere } from './files.ts'
import type { Place } from './place.ts'

/** Where a file of the drive goes below a folder; refuses what would leave it. Pure. */
export function pathOnDrive(dir: string, name: string): string {
  const path = join(dir, normalize(name))
  if (name.includes('\0') || !path.startsWith(`${dir}/`))
    throw new Problem('invalid', 'A file of the config drive has a bad name.')
  return path
}

/** Makes the drive anew when its files are others than those of `old`; drops it when the guest should have none. */
export async function ensureConfigDrive(exec: Exec, place: Place, { configDrive }: Guest, old: Guest | undefined): Promise<void> {
  if (!configDrive) return drop(place.configDrive)
  const same = JSON.stringify(configDrive) === JSON.stringify(old?.configDrive)
  if (same && (await isThere(place.configDrive))) return
  const dir = `${place.configDrive}.d`
  const image = `${place.configDrive}.new`
  await rm(dir, { recursive: true, force: true })
  for (const [name, content] of Object.entries(configDrive)) await put(pathOnDrive(dir, name), content)
  // cloud-init and its like look for this label; Joliet and Rock Ridge keep long names in lower case.
  await exec.run(['genisoimage', '-quiet', '-J', '-r', '-ldots', '-l', '-V', 'config-2', '-o', image, dir])
  await rename(image, place.configDrive)
  await rm(dir, { recursive: true, force: true })
}

async function put(path: string, base64: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, Buffer.from(base64, 'base64'), { mode: 0o600 })
}
