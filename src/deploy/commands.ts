import { lstat, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from './files.ts'
import type { Place } from './place.ts'
import type { Step } from './plan.ts'

/** What people type without a path. */
const names = ['packstack', 'altostack', 'nova-manage', 'neutron'] as const

/** Where a login shell looks (Debian's /etc/profile and /etc/login.defs). */
const folders = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin']

export type Command = { name: string; link: string; ours: string; isLinked: boolean; other?: string }

/** Each command: whether our link to it is there, and what else has its name. */
export const lookAtCommands = (place: Place): Promise<Command[]> => Promise.all(names.map((name) => lookAt(place, name)))

async function lookAt({ program, links, root }: Place, name: string): Promise<Command> {
  const [link, ours] = [join(links, name), join(program, 'bin', name)]
  const isLinked = (await readlink(link).catch(() => undefined)) === ours
  const all = folders.map((folder) => join(root, folder, name))
  const there = await Promise.all(all.map((path) => isThere(path)))
  const other = all.find((path, index) => there[index] && !(isLinked && path === link))
  return { name, link, ours, isLinked, ...(other !== undefined && { other }) }
}

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** A command of another package keeps its name: ours is then called by its path. */
export const linkCommands = (place: Place): Step => ({
  name: 'Linking commands',
  needs: ['Installing the program'],
  isDone: async () =>
    !(await exists(place.links)) ||
    (await lookAtCommands(place)).every(({ isLinked, other }) => isLinked === (other === undefined)),
  async apply() {
    for (const { link, ours, isLinked, other } of await lookAtCommands(place)) {
      if (isLinked && other !== undefined) await rm(link)
      if (!isLinked && other === undefined) await symlink(ours, link)
    }
  },
})

export async function unlinkCommands(place: Place): Promise<void> {
  for (const { link, isLinked } of await lookAtCommands(place)) if (isLinked) await rm(link)
}

/** A line for each sort: those that can be typed as they are, those that cannot. */
export function commandLines(commands: readonly Command[]): string[] {
  const linked = commands.filter(({ isLinked }) => isLinked).map(({ name }) => name)
  return [
    ...(linked.length === 0 ? [] : [`Commands: ${linked.join(', ')}`]),
    ...commands.flatMap(({ name, ours, other }) =>
      other === undefined ? [] : [`${name} is ${other} on this machine; that of this cloud is ${ours}`],
    ),
  ]
}
