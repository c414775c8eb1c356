import { spawnSync } from 'node:child_process'

/** Installs the Debian packages among these that are not there. Throws when that fails. */
export async function installMissing(wanted: readonly string[]): Promise<void> {
  const missing = [...new Set(wanted)].filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) throw new Error(`as root: apt-get install ${missing.join(' ')}`)
  console.log(`Installing ${missing.join(' ')} ...`)
  apt('update', '-qq')
  apt('install', '-y', '-qq', '--no-install-recommends', ...missing)
}

const isInstalled = (name: string) => {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '$' + '{db:Status-Status}', name], { encoding: 'utf8' })
  return stdout === 'installed'
}

const apt = (...args: string[]) => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  if (status !== 0) throw new Error(`apt-get ${args[0]} ended with ${status}`)
}
