import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'

/** A file is there whole or not at all, whenever we or the host are killed. Only root reads it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}

/** Until this, a file that was renamed may have its old name again after a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** undefined: there is none. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(ifMissing)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

export const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(ifMissing)) !== undefined

export const drop = (path: string): Promise<void> => rm(path, { force: true })

/** For `catch`: a file that is not there is an answer, any other error is not. */
export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
