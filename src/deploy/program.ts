import { createHash } from 'node:crypto'
import { glob, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'
import { exists, readText, write } from './files.ts'
import { asUser, type Daemon } from './supervision/services.ts'

/** What of a clone is installed, beside the modules it needs to run. */
const parts = ['bin', 'src', 'images', 'package.json', 'package-lock.json', 'packstack', 'LICENSE', 'README.md']

const isTest = (path: string) => path.endsWith('.test.ts')

const stampName = '.fingerprint'

/** A hash of everything that is installed; packages by their lock file. */
export async function fingerprint(clone: string): Promise<string> {
  const hash = createHash('sha256')
  const paths: string[] = []
  for await (const entry of glob(
    parts.map((part) => `${part}{,/**}`),
    { cwd: clone, withFileTypes: true },
  ))
    if (entry.isFile() && !isTest(entry.name)) paths.push(join(entry.parentPath, entry.name))
  for (const path of paths.sort())
    hash
      .update(`${path.slice(clone.length)}\0`)
      .update(await readFile(path))
      .update('\0')
  return hash.digest('hex')
}

/** Packages of npm's own list of what it installed that are not for development. */
export const productionPackages = (lock: string): string[] =>
  Object.entries((JSON.parse(lock) as { packages: Record<string, { dev?: boolean; devOptional?: boolean }> }).packages)
    .filter(([path, { dev, devOptional }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && !devOptional)
    .map(([path]) => path)

/** Whether the program stands at `target` as it is in the clone. Run from where it is installed, it is by definition. */
export async function isInstalled(clone: string, target: string): Promise<boolean> {
  if (clone === target) return true
  if (await exists(`${target}.old`)) return false
  return (await readText(join(target, stampName))) === (await fingerprint(clone))
}

/** Copies the program beside the old one and swaps them, so that it is always whole; it then needs the clone no more. */
export async function installProgram(exec: Exec, clone: string, target: string): Promise<void> {
  const fresh = `${target}.new`
  await rm(fresh, { recursive: true, force: true })
  await exec.run(['mkdir', '-p', join(fresh, 'node_modules/.bin')])
  const modules = productionPackages(await readFile(join(clone, 'node_modules/.package-lock.json'), 'utf8'))
  const present = []
  for (const path of [...parts, 'node_modules/.bin/node', ...modules]) if (await exists(join(clone, path))) present.push(path)
  await exec.run(['cp', '-a', '--no-preserve=ownership', '--reflink=auto', '--parents', ...present, fresh], {
    cwd: clone,
    timeoutMs: 120_000,
  })
  for await (const path of glob('src/**/*.test.ts', { cwd: fresh })) await rm(join(fresh, path))
  await exec.run(['chmod', '-R', 'u=rwX,go=rX', fresh])
  await write({ path: join(fresh, stampName), text: await fingerprint(clone), mode: 0o644 })
  await rm(`${target}.old`, { recursive: true, force: true })
  if (await exists(target)) await rename(target, `${target}.old`)
  await rename(fresh, target)
  await rm(`${target}.old`, { recursive: true, force: true })
}

/** Fingerprint of the program that is to be on every host. */
export const fingerprintFrom = async (clone: string, target: string): Promise<string> =>
  clone === target ? ((await stampOf(target)) ?? '') : fingerprint(clone)

const stampOf = (target: string) => readText(join(target, stampName))

/** Whether the compiled code of these processes is that of the program that stands at `target`. */
export async function isCompiled(daemons: readonly Daemon[], target: string): Promise<boolean> {
  const stamp = await stampOf(target)
  const known = await Promise.all(daemons.map(({ compiled }) => readText(join(compiled, stampName))))
  return stamp !== undefined && known.every((one) => one === stamp)
}

/** Has each process's modules read once by its own user; Node writes down what it compiled when it ends. */
export async function compile(exec: Exec, daemons: readonly Daemon[], target: string): Promise<void> {
  const one = async ({ user, env, entry, compiled, argv }: Daemon) => {
    const read = [join(target, 'node_modules/.bin/node'), '--input-type=module', '-e', `await import('${entry}')`]
    await rm(compiled, { recursive: true, force: true })
    await exec.run(asUser(user, read), { env, cwd: '/' })
    // Without a configuration it ends at once, and the little that `entry` does not load has been read too: one file that
    // is not there makes Node load its whole TypeScript reader.
    await exec.attempt(asUser(user, [argv[0]!, '--config', '/nonexistent']), { env, cwd: '/' })
    await write({ path: join(compiled, stampName), text: (await stampOf(target)) ?? '', mode: 0o644 })
  }
  await Promise.all(daemons.map(one))
}
