import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../../../kit/errors.ts'
import { type Connection, connectOvsdb, type Json } from './connection.ts'

/** A condition of RFC 7047: column, function, value. */
export type Where = [string, '==' | 'includes', Json]
export type Row = Record<string, Json>
export type Operation = { op: 'insert' | 'select' | 'update' | 'mutate' | 'delete' | 'wait'; table: string } & Record<
  string,
  Json
>

export type Database = {
  /** All or nothing. Gives a result for each operation. */
  transact(operations: Operation[]): Promise<Row[]>
  /** The same, and waits until the switch has carried it out. */
  change(operations: Operation[]): Promise<void>
  select(table: string, columns: string[], where?: Where[]): Promise<Row[]>
  /** Calls back when ports or interfaces changed, and when the server is there again after it was away. Gives the way to stop. */
  watch(changed: () => void): () => void
  close(): void
}

const name = 'Open_vSwitch'
/** Long enough for a switch under load with hundreds of ports. */
const inForceMs = 10_000
const redialMs = 500

/** An OVSDB set of at most one, as JavaScript has it. */
export const optional = (value: Json | undefined): Json | undefined => (isTagged(value, 'set') ? (value[1] as Json[])[0] : value)
/** An OVSDB set as an array. */
export const many = (value: Json | undefined): Json[] => {
  if (value === undefined) return []
  return isTagged(value, 'set') ? (value[1] as Json[]) : [value]
}
/** An OVSDB map of texts as a record. */
export const record = (value: Json | undefined): Record<string, string> =>
  isTagged(value, 'map') ? Object.fromEntries((value[1] as [string, string][]).map(([key, text]) => [key, text])) : {}
/** A record as an OVSDB map. */
export const map = (entries: Record<string, string>): Json => ['map', Object.entries(entries)]
export const uuidOf = (value: Json | undefined): string => (Array.isArray(value) ? String(value[1]) : '')

const isTagged = (value: Json | undefined, tag: string): value is Json[] => Array.isArray(value) && value[0] === tag

/** The switch's database by its typed operations. Connects when needed and again when the server was restarted. */
export function openDatabase(path: string): Database {
  const watchers = new Set<() => void>()
  let current: Promise<Connection> | undefined
  let redial: NodeJS.Timeout | undefined
  let closed = false

  const tell = () => {
    for (const watcher of watchers) watcher()
  }
  const later = () => {
    current = undefined
    if (closed || watchers.size === 0) return
    clearTimeout(redial)
    redial = setTimeout(() => void connection().then(tell, () => {}), redialMs)
  }
  const open = async (): Promise<Connection> => {
    const connection = await connectOvsdb({ path, notified: (method) => method === 'update' && tell(), ended: later })
    const columns = { Interface: { columns: ['ofport', 'error'] }, Port: { columns: ['name'] }, Bridge: { columns: ['ports'] } }
    await connection.request('monitor', [name, 'changes', columns])
    return connection
  }
  const connection = (): Promise<Connection> => {
    current ??= open().catch((error) => {
      later()
      throw new Problem('unavailable', 'Open vSwitch does not answer on this host.', { cause: error })
    })
    return current
  }

  const transact = async (operations: Operation[]): Promise<Row[]> => {
    const results = (await (await connection()).request('transact', [name, ...operations])) as (Row | null)[]
    const bad = results.find((result) => result?.['error'] !== undefined)
    if (bad) throw new Error(`OVSDB refused: ${JSON.stringify(bad)}`)
    return results.map((result) => result ?? {})
  }
  const select = async (table: string, columns: string[], where: Where[] = []): Promise<Row[]> => {
    const [result] = await transact([{ op: 'select', table, columns, where }])
    return (result?.['rows'] ?? []) as Row[]
  }
  const inForce = async (wanted: number): Promise<void> => {
    for (const until = Date.now() + inForceMs; Date.now() < until; await delay(5)) {
      const [row] = await select(name, ['cur_cfg'])
      if (Number(row?.['cur_cfg']) >= wanted) return
    }
    throw new Problem('unavailable', 'Open vSwitch does not carry out changes on this host.')
  }

  return {
    transact,
    select,
    async change(operations) {
      const results = await transact([
        ...operations,
        { op: 'mutate', table: name, where: [], mutations: [['next_cfg', '+=', 1]] },
        { op: 'select', table: name, where: [], columns: ['next_cfg'] },
      ])
      const [row] = (results.at(-1)?.['rows'] ?? []) as Row[]
      await inForce(Number(row?.['next_cfg']))
    },
    watch(changed) {
      watchers.add(changed)
      connection().catch(() => {})
      return () => void watchers.delete(changed)
    },
    close() {
      closed = true
      clearTimeout(redial)
      void current?.then(
        (open) => open.close(),
        () => {},
      )
    },
  }
}
