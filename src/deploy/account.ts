import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises'
import type { Exec } from '../kit/exec/exec.ts'
import { type Place, user } from './place.ts'

export type Account = { uid: number; gid: number; home: string }

/** A line of passwd(5). */
export async function accountOf(name: string): Promise<Account | undefined> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((one) => one.startsWith(`${name}:`))
  const [, , uid, gid, , home = ''] = line?.split(':') ?? []
  return line === undefined ? undefined : { uid: Number(uid), gid: Number(gid), home }
}

type Folder = { path: string; mode: number; owner: 'root' | 'ours' }

const folders = (place: Place): Folder[] => [
  // The controller reads its configuration there and can write none of it.
  { path: place.config, mode: 0o755, owner: 'root' },
  { path: place.state, mode: 0o750, owner: 'ours' },
  { path: place.agentState, mode: 0o755, owner: 'root' },
  { path: place.log, mode: 0o750, owner: 'root' },
]

export async function areFoldersThere(place: Place): Promise<boolean> {
  const account = await accountOf(user)
  if (!account) return false
  const isRight = async ({ path, mode, owner }: Folder) => {
    const found = await stat(path).catch(() => undefined)
    return found?.isDirectory() && (found.mode & 0o777) === mode && found.uid === (owner === 'root' ? 0 : account.uid)
  }
  return (await Promise.all(folders(place).map(isRight))).every(Boolean)
}

export async function makeUserAndFolders(place: Place, exec: Exec): Promise<void> {
  if (!(await accountOf(user)))
    await exec.run([
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      place.state,
      '--shell',
      '/usr/sbin/nologin',
      user,
    ])
  const account = await accountOf(user)
  if (!account) throw new Error('useradd made no user altostack')
  for (const { path, mode, owner } of folders(place)) {
    await mkdir(path, { recursive: true })
    await chown(path, owner === 'root' ? 0 : account.uid, owner === 'root' ? 0 : account.gid)
    await chmod(path, mode)
  }
}
