/** What is asked of a directory. Values are compared as the directory does it, whatever stands in them: they never become part of a text. */
export type DirectoryFilter =
  | { is: 'equal'; attribute: string; value: string }
  | { is: 'all'; of: DirectoryFilter[] }
  | { is: 'any'; of: DirectoryFilter[] }
  /** As RFC 4515 writes filters. From the configuration only, never from a request. */
  | { is: 'text'; text: string }

export type DirectorySearch = {
  base: string
  /** The base itself, what is right below it, or it and everything below. */
  scope: 'base' | 'one' | 'sub'
  filter: DirectoryFilter
  attributes: string[]
  /** So many entries at a time; 0: all at once. */
  pageSize: number
}

/** Names of attributes in small letters. An objectGUID is text, as Windows writes it. */
export type DirectoryEntry = { dn: string; values: Record<string, string[]> }

/** People and groups that are kept elsewhere. Nothing is ever written. */
export type Directory = {
  /**
   * All that matches, or nothing: an answer that was cut short is no answer. Referrals are left alone. Throws not-found when there is no such
   * base, unavailable when the directory cannot be asked.
   */
  search(ask: DirectorySearch): Promise<DirectoryEntry[]>
  /** Whether this is the password of this entry. Never with an empty one (RFC 4513, 5.1.2). Throws unavailable. */
  check(dn: string, password: string): Promise<boolean>
}

/** Tried in this order until one answers. */
export type DirectoryServer = { host: string; port: number; tls: 'none' | 'ldaps' | 'starttls' }

export type DirectoryConnection = {
  servers: DirectoryServer[]
  /** Who asks; undefined: nobody in particular. */
  bind: { dn: string; password: string } | undefined
  /** PEM files whose certificates are trusted in place of the usual ones. */
  caFile: string | undefined
  caFolder: string | undefined
  /** Whether the server must prove who it is. */
  verify: boolean
}

export type OpenDirectory = (connection: DirectoryConnection) => Directory
