import { createHash } from 'node:crypto'

/**
 * The id of somebody of a directory, the same one each time: as Keystone makes it, so that whoever moves here keeps the ids, and with them
 * what was given to them. A hash and not a new id in a table, so that a table that was lost, or two controllers at once, cannot make two of one.
 */
export const publicId = (domainId: string, kind: 'user' | 'group', localId: string): string =>
  createHash('sha256').update(domainId).update(kind).update(localId).digest('hex')
