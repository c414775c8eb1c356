import { assertNoTransaction } from '../../../kit/context.ts'
import { Problem } from '../../../kit/errors.ts'
import { normalDn } from '../dn.ts'
import type { Directory, DirectoryConnection, DirectoryEntry, DirectoryFilter, OpenDirectory } from '../driver.ts'

export type MemoryEntry = { dn: string; password?: string; [attribute: string]: string | string[] | undefined }

/** A directory in memory, and what can go wrong with one. */
export type MemoryDirectory = {
  open: OpenDirectory
  entries: MemoryEntry[]
  /** Nobody answers any more. */
  isDown: boolean
  /** No answer has more entries than this; one that would is refused. */
  sizeLimit: number
  /** Every question so far. */
  asked: { filter: DirectoryFilter; base: string }[]
  /** Every name whose password was tried. */
  tried: string[]
  connections: DirectoryConnection[]
}

const fold = (text: string): string => text.trim().replace(/\s+/g, ' ').toLowerCase()

/** Compares as directories do: without case, names of entries as names. Of filters in text it knows `(attribute=value)` and `(attribute=*)` only. */
export function memoryDirectory(entries: MemoryEntry[]): MemoryDirectory {
  const made: MemoryDirectory = {
    entries,
    isDown: false,
    sizeLimit: Number.POSITIVE_INFINITY,
    asked: [],
    tried: [],
    connections: [],
    open(connection) {
      made.connections.push(connection)
      return directoryOf(made)
    },
  }
  return made
}

function directoryOf(made: MemoryDirectory): Directory {
  const assertUp = () => {
    assertNoTransaction('a directory')
    if (!made.isDown) return
    const cause = new Error('the directory in memory is down')
    throw new Problem('unavailable', 'The directory of this domain does not answer. Try again later.', { cause })
  }
  return {
    async search({ base, scope, filter, attributes }) {
      assertUp()
      made.asked.push({ filter, base })
      const all = made.entries.map(entryOf)
      if (!all.some((entry) => isWithin(entry.dn, base, 'sub')))
        throw new Problem('not-found', 'The directory of this domain has no such entry.')
      const found = all.filter((entry) => isWithin(entry.dn, base, scope) && matches(entry, filter))
      if (found.length > made.sizeLimit)
        throw new Problem('unavailable', 'The directory of this domain gives no more entries than its size limit.')
      return found.map((entry) => only(entry, attributes))
    },
    async check(dn, password) {
      assertUp()
      if (password === '') return false
      made.tried.push(dn)
      return made.entries.some((entry) => normalDn(entry.dn) === normalDn(dn) && entry.password === password)
    },
  }
}

function entryOf({ dn, password: _, ...rest }: MemoryEntry): DirectoryEntry {
  const values = Object.entries(rest).map(([name, value]) => [name.toLowerCase(), value === undefined ? [] : [value].flat()])
  return { dn, values: Object.fromEntries(values) }
}

function only({ dn, values }: DirectoryEntry, attributes: string[]): DirectoryEntry {
  const wanted = new Set(attributes.map((name) => name.toLowerCase()))
  return { dn, values: Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name))) }
}

function isWithin(dn: string, base: string, scope: 'base' | 'one' | 'sub'): boolean {
  const [name, top] = [normalDn(dn), normalDn(base)]
  if (scope === 'base' || name === top) return name === top && scope !== 'one'
  if (!name.endsWith(`,${top}`)) return false
  return scope === 'sub' || !/(?<!\\),/.test(name.slice(0, -top.length - 1))
}

function matches(entry: DirectoryEntry, filter: DirectoryFilter): boolean {
  if (filter.is === 'all') return filter.of.every((one) => matches(entry, one))
  if (filter.is === 'any') return filter.of.some((one) => matches(entry, one))
  if (filter.is === 'text') {
    const [, attribute, value] = /^\(?([a-z0-9;-]+)=([^()*]+|\*)\)?$/i.exec(filter.text) ?? []
    if (attribute === undefined) throw new Problem('unavailable', 'The directory of this domain does not understand this filter.')
    if (value === '*') return (entry.values[attribute.toLowerCase()] ?? []).length > 0
    return matches(entry, { is: 'equal', attribute, value: value! })
  }
  const wanted = [fold(filter.value), normalDn(filter.value)]
  return (entry.values[filter.attribute.toLowerCase()] ?? []).some(
    (one) => wanted.includes(fold(one)) || wanted.includes(normalDn(one)),
  )
}
