import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type TestFile = { path: string; bytes: number }

/** Every `*.ts` below these folders of the root, in the order of their paths. */
export const findSources = (root: string, folders: readonly string[]): string[] =>
  folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** Every `*.test.ts` below these folders of the root. */
export const findTests = (root: string, folders: readonly string[]): TestFile[] =>
  findSources(root, folders)
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path, bytes: statSync(path).size }))

/** Deals the files to so many processes, the biggest first and always to the one with least, so that all end at about the same time. */
export function share(files: readonly TestFile[], processes: number): string[][] {
  const shares = Array.from({ length: Math.min(processes, files.length) }, () => ({ bytes: 0, paths: [] as string[] }))
  for (const file of files.toSorted((a, b) => b.bytes - a.bytes)) {
    const lightest = shares.reduce((least, one) => (one.bytes < least.bytes ? one : least))
    lightest.bytes += file.bytes
    lightest.paths.push(file.path)
  }
  return shares.map((one) => one.paths)
}
