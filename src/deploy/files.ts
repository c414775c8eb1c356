import { chmod, chown, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export type Written = { path: string; text: string; mode: number; uid?: number; gid?: number }

/** Whether the file is there with this text and mode. */
export async function isWritten({ path, text, mode, uid = 0, gid = 0 }: Written): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (!found || (found.mode & 0o777) !== mode || found.uid !== uid || found.gid !== gid) return false
  return (await readFile(path, 'utf8')) === text
}

/** Puts the file there whole or not at all; its secrets are never readable by others, not even for a moment. */
export async function write({ path, text, mode, uid = 0, gid = 0 }: Written): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.new`
  await writeFile(fresh, text, { mode: 0o600 })
  await chown(fresh, uid, gid)
  await chmod(fresh, mode)
  await rename(fresh, path)
}

export const readText = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined)

export const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined
