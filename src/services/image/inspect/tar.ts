import { refuse } from './formats.ts'

/** What a member of an archive is fed to; `end` throws when its content points outside itself. */
export type MemberJudge = { feed(chunk: Uint8Array): void; end(): void }

export type TarWalk = {
  feed(chunk: Uint8Array): void
  /** Throws invalid with code `bad-format`: for what was wrong on the way, for an archive that is cut off, and for one without an OVF descriptor. */
  judge(): void
}

/** An OVA has a descriptor, disks and little else. */
const mostMembers = 1000
const block = 512
const regular = new Set(['0', '\0', ''])
/** Long names and remarks (POSIX pax, GNU): their content is about the next member. */
const remarks = new Set(['x', 'g', 'L', 'K'])

type Member = { name: string; left: number; padding: number; judge: MemberJudge | undefined }

export const isTar = (head: Buffer): boolean => head.length >= block && head.toString('latin1', 257, 262) === 'ustar'

/**
 * Walks a tar archive (POSIX.1-1988 ustar) as it passes, in constant memory. Links, devices and names that lead out of a folder are refused: whoever
 * unpacks it would follow them. Remarks that rename a member are refused as well, since they would hide its name.
 */
export function openTarWalk(judgeOf: () => MemberJudge): TarWalk {
  let header = Buffer.alloc(0)
  let member: Member | undefined
  let problem: unknown
  const seen = { members: 0, descriptor: false, ended: false }

  const begin = (bytes: Buffer): void => {
    if (bytes.every((byte) => byte === 0)) {
      seen.ended = true
      return
    }
    if (!isTar(bytes)) throw refuse('The archive is damaged.')
    if (++seen.members > mostMembers) throw refuse(`The archive has more than ${mostMembers} members.`)
    const type = text(bytes, 156, 1)
    const name = [text(bytes, 345, 155), text(bytes, 0, 100)].filter((part) => part !== '').join('/')
    const size = sizeOf(bytes)
    refuseName(name)
    if (remarks.has(type)) throw refuse('The archive names its members by remarks.')
    if (type !== '5' && !regular.has(type)) throw refuse(`The archive holds a link or a device, ${name}.`)
    if (/\.ovf$/i.test(name)) seen.descriptor = true
    const judge = regular.has(type) && size > 0 ? judgeOf() : undefined
    member = { name, left: size, padding: (block - (size % block)) % block, judge }
    if (size === 0) member = undefined
  }

  const take = (chunk: Buffer): number => {
    if (!member) {
      const part = chunk.subarray(0, block - header.length)
      header = Buffer.concat([header, part])
      if (header.length === block) {
        begin(header)
        header = Buffer.alloc(0)
      }
      return part.length
    }
    if (member.left > 0) {
      const part = chunk.subarray(0, member.left)
      member.judge?.feed(part)
      member.left -= part.length
      if (member.left === 0) member.judge?.end()
      if (member.left + member.padding === 0) member = undefined
      return part.length
    }
    const skipped = Math.min(member.padding, chunk.length)
    member.padding -= skipped
    if (member.padding === 0) member = undefined
    return skipped
  }

  return {
    feed(chunk) {
      let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      try {
        while (rest.length > 0 && !seen.ended && problem === undefined) rest = rest.subarray(take(rest))
      } catch (error) {
        problem = error
      }
    },
    judge() {
      if (problem !== undefined) throw problem
      if (member || header.length > 0) throw refuse('The archive is cut off.')
      if (!seen.descriptor) throw refuse('The archive has no OVF descriptor.')
    },
  }
}

const text = (bytes: Buffer, at: number, length: number): string => bytes.toString('latin1', at, at + length).split('\0')[0]!

/** Octal digits, or (GNU) a binary number marked by the highest bit. */
function sizeOf(bytes: Buffer): number {
  if (bytes[124]! & 0x80) {
    const size = bytes.readBigUInt64BE(128)
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse('The archive says that a member is larger than can be.')
    return Number(size)
  }
  const digits = text(bytes, 124, 12).trim()
  if (!/^[0-7]{1,12}$/.test(digits)) throw refuse('The archive does not say how large a member is.')
  return Number.parseInt(digits, 8)
}

function refuseName(name: string): void {
  if (name === '' || name.startsWith('/') || name.includes('\\') || name.split('/').includes('..'))
    throw refuse(`The archive holds a name that leads out of it, ${name}.`)
}
