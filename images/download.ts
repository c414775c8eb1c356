import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../src/kit/exec/exec.ts'

export type Package = { name: string; file: string; sha256: string }

const aptCache = '/var/cache/apt/archives'

/** What `apt-get download --print-uris` says: one package a line, `'URI' FILE SIZE SHA256:HASH`. */
export function parseUris(text: string): Package[] {
  return [...text.matchAll(/^'[^']*' (\S+) \d+ SHA256:([0-9a-f]{64})$/gm)].map(([, file = '', sha256 = '']) => ({
    name: file.split('_')[0] ?? '',
    file,
    sha256,
  }))
}

/** The kernel that a meta package names, by what `apt-cache depends` says. */
export function parseKernel(text: string): string {
  const name = /Depends: (linux-image-\S+)/.exec(text)?.[1]
  if (!name) throw new Error('the package source names no kernel for virtual machines (apt-get update may help)')
  return name
}

/** The newest packages as files in a folder; fetched by apt (which checks its signatures) only when they are not there yet. Gives their paths. */
export async function downloadPackages(exec: Exec, names: readonly string[], dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true })
  const packages = parseUris(await exec.run(['apt-get', 'download', '--print-uris', ...names]))
  if (packages.length < names.length) throw new Error('the package source does not have all that the guest is made of')
  const missing: string[] = []
  for (const one of packages) if (!(await takeFrom(one, dir))) missing.push(one.name)
  // As root: its own user may not enter the folder.
  const apt = ['apt-get', '-o', 'APT::Sandbox::User=root', 'download', '-qq', ...missing]
  if (missing.length > 0) await exec.run(apt, { cwd: dir, timeoutMs: 600_000 })
  return packages.map(({ file }) => join(dir, file))
}

/** Whether the package is here, in the folder or as the package manager kept it, with the right content. */
async function takeFrom({ file, sha256 }: Package, dir: string): Promise<boolean> {
  const path = join(dir, file)
  for (const one of [path, join(aptCache, file)]) {
    const bytes = await readFile(one).catch(() => undefined)
    if (!bytes || createHash('sha256').update(bytes).digest('hex') !== sha256) continue
    if (one !== path) await copyFile(one, `${path}.new`).then(() => rename(`${path}.new`, path))
    return true
  }
  return false
}
