export { escapeDnValue, namedValue, normalDn, parseDn } from './dn.ts'
export type {
  Directory,
  DirectoryConnection,
  DirectoryEntry,
  DirectoryFilter,
  DirectorySearch,
  DirectoryServer,
  OpenDirectory,
} from './driver.ts'
export { ldapDirectories } from './ldap/ldap.ts'
export { parseServers } from './ldap/servers.ts'
export { type MemoryDirectory, type MemoryEntry, memoryDirectory } from './memory/memory.ts'
