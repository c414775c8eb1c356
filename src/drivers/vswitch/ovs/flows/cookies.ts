import { createHash } from 'node:crypto'

/**
 * A flow's cookie says whose it is: 12 bits of our mark, 4 of the kind, 48 of the subject's id.
 * By it a new agent knows which flows to keep, and flows of others are left alone.
 */
export type CookieKind = 'port' | 'network' | 'learned' | 'bridge' | 'set'

const mark = '0xa17'
const kinds: Record<CookieKind, string> = { port: '2', network: '3', learned: '4', bridge: '5', set: '6' }

export const cookie = (kind: CookieKind, id: string): string =>
  `${mark}${kinds[kind]}${createHash('sha256').update(id).digest('hex').slice(0, 12)}`

export const withCookie = (text: string) => (flow: string) => `cookie=${text},${flow}`

export const isOurs = (text: string): boolean => text.startsWith(mark) && text.length === 18
