import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** systemd's list of user numbers leaves these to nobody: neither users, nor services, nor containers. */
const first = 1_879_048_192
const count = 2_147_483_647 - first

/**
 * The user and group number a guest's QEMU becomes, as `-runas` wants it: one for each guest, so that who breaks out of one cannot touch
 * the process or the files of another. The numbers need no entry in any user table. Pure.
 */
export function ownerOf(id: string, uidMap: string): string | undefined {
  const number = first + (createHash('sha256').update(id).digest().readUInt32BE() % count)
  return isMapped(number, uidMap) ? `${number}:${number}` : isMapped(nobody, uidMap) ? `${nobody}:${nobody}` : undefined
}

const nobody = 65_534

/** Lines of `inside outside length` (user_namespaces(7)): in a container most numbers do not exist. */
const isMapped = (number: number, uidMap: string) =>
  uidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , length = 0]) => number >= inside && number < inside + length)

/** undefined: we are not root and cannot become anybody else. */
export async function readUidMap(): Promise<string | undefined> {
  return process.getuid?.() === 0 ? readFile('/proc/self/uid_map', 'utf8') : undefined
}
