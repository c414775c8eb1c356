import type { Progress } from '../../driver.ts'
import { type QmpConnection, QmpError, unlessRefused } from './connection.ts'

/** MigrationStatus of QEMU's qapi/migration.json; `none`: there was none yet. */
export type MemoryStatus =
  | 'none'
  | 'setup'
  | 'cancelling'
  | 'cancelled'
  | 'active'
  | 'pre-switchover'
  | 'device'
  | 'completed'
  | 'failed'
export type MemoryMove = { status: MemoryStatus; progress: Progress; error: string | undefined }

/** `concluded` without an error: everything is there. */
export type DiskMove = { ready: boolean; concluded: boolean; progress: Progress; error: string | undefined }

export type Address = { host: string; port: number }

/** What is asked of QEMU for a guest that moves. Everything may be asked twice. */
export type MoveMonitor = {
  /** The key for both channels, from `keys.psk` in the folder `dir`, which is relative to where QEMU runs. */
  addKey(dir: string, endpoint: 'client' | 'server'): Promise<void>

  /** Destination: gives disk (if any) and word to who knows the key, until `closeDisks`. */
  openDisks(at: Address, hasDisk: boolean, word: string): Promise<void>
  closeDisks(): Promise<void>
  /** Destination: waits for memory. */
  openMemory(at: Address): Promise<void>
  /** Tells switches where the guest is. */
  announce(): Promise<void>

  /** Source: begins to copy what the disk has over its image, and goes on with what the guest writes meanwhile. */
  copyDisk(to: Address): Promise<void>
  disk(): Promise<DiskMove | undefined>
  /** Source: ends the copying; forced, also before the copy is like the disk. */
  endCopy(forced: boolean): Promise<void>
  /** Source: begins to send memory; the guest is stopped before the last of it, and that waits for `handOver`. */
  sendMemory(to: Address): Promise<void>
  memory(): Promise<MemoryMove>
  handOver(): Promise<void>
  cancelMemory(): Promise<void>

  /** Lets go of everything made for a move. */
  forgetMove(): Promise<void>
}

const key = 'move-key'
const job = 'move-disk'
const target = 'move-target'
const word = 'move-word'
const exported = { disk: 'disk', word: 'word' }

type Named = { name?: string; id?: string; 'node-name'?: string }
type Job = { id: string; status: string; 'current-progress': number; 'total-progress': number; error?: string }
type Ram = { transferred: number; remaining: number; total: number }

const inet = ({ host, port }: Address) => ({ type: 'inet', host, port: `${port}` })
const uri = ({ host, port }: Address) => `tcp:${host.includes(':') ? `[${host}]` : host}:${port}`

/** As much as the wire carries: what is left over is what makes a guest stand still for long. */
const bytesPerSecond = 10 * 2 ** 30
const downtimeMs = 300
/** While QEMU reaches for an export, its guest stands still. */
const openSeconds = 3

/** Before the first object there is no folder of objects. */
const unlessMissing = (error: unknown): false => {
  if (error instanceof QmpError && error.kind === 'DeviceNotFound') return false
  throw error
}

const capabilities = (on: boolean, side: 'from' | 'to') => ({
  capabilities: [
    // Else the source would think all is well before the destination has read it.
    { capability: 'return-path', state: on },
    { capability: 'events', state: on },
    ...(side === 'from' ? [{ capability: 'pause-before-switchover', state: on }] : []),
  ],
})

export function moveMonitorOver(qmp: QmpConnection): MoveMonitor {
  const tell = async (command: string, args?: Record<string, unknown>, timeoutMs = 10_000) => {
    await qmp.execute(command, args, timeoutMs)
  }
  const has = async (command: string, field: keyof Named, value: string, args?: Record<string, unknown>) =>
    ((await qmp.execute(command, args)) as Named[]).some((one) => one[field] === value)
  const hasObject = (id: string) => has('qom-list', 'name', id, { path: '/objects' }).catch(unlessMissing)
  const hasNode = (name: string) => has('query-named-block-nodes', 'node-name', name, { flat: true })
  const hasExport = (id: string) => has('query-block-exports', 'id', id)
  const jobSeen = async () => ((await qmp.execute('query-jobs')) as Job[]).find(({ id }) => id === job)

  const addNode = async (name: string, node: Record<string, unknown>) => {
    if (!(await hasNode(name))) await tell('blockdev-add', { 'node-name': name, ...node })
  }
  const addExport = async (id: string, node: string) => {
    if (await hasExport(id)) return
    await tell('block-export-add', { type: 'nbd', id, 'node-name': node, name: id, writable: true })
  }
  const withKey = { 'tls-creds': key, 'max-bandwidth': bytesPerSecond, 'downtime-limit': downtimeMs }

  return {
    async addKey(dir, endpoint) {
      if (!(await hasObject(key))) await tell('object-add', { 'qom-type': 'tls-creds-psk', id: key, dir, endpoint })
    },
    async openDisks(at, hasDisk, file) {
      await addNode(word, { driver: 'file', filename: file })
      if (!(await hasExport(exported.word))) {
        const addr = { type: 'inet', data: { host: at.host, port: `${at.port}` } }
        await tell('nbd-server-start', { addr, 'tls-creds': key, 'max-connections': 8 })
      }
      if (hasDisk) await addExport(exported.disk, 'root')
      await addExport(exported.word, word)
    },
    async closeDisks() {
      // Refused where it was closed before.
      await tell('nbd-server-stop').catch(unlessRefused)
    },
    async openMemory(at) {
      await tell('migrate-set-capabilities', capabilities(true, 'to'))
      await tell('migrate-set-parameters', { 'tls-creds': key })
      await tell('migrate-incoming', { uri: uri(at) })
    },
    announce: () => tell('announce-self', { initial: 50, max: 550, rounds: 5, step: 100 }),

    async copyDisk(to) {
      if (await jobSeen()) return
      const nbd = { driver: 'nbd', server: inet(to), export: exported.disk, 'tls-creds': key, 'open-timeout': openSeconds }
      await addNode(target, nbd)
      const kept = { 'auto-dismiss': false, 'auto-finalize': true }
      await tell('blockdev-mirror', { 'job-id': job, device: 'root', target, sync: 'top', ...kept })
    },
    async disk() {
      const seen = await jobSeen()
      if (!seen) return undefined
      const { status, error, 'current-progress': sent, 'total-progress': total } = seen
      const concluded = status === 'concluded'
      return { ready: status === 'ready', concluded, progress: { total, sent, left: total - sent }, error }
    },
    async endCopy(force) {
      const seen = await jobSeen()
      const instances = [{ type: 'block-node', 'node-name': target }]
      // What is on its way to a host that stands still is waited for, unless the wire is cut.
      if (force) await tell('yank', { instances }).catch(unlessRefused)
      // Refused where it concluded meanwhile.
      if (seen && seen.status !== 'concluded') await tell('block-job-cancel', { device: job, force }).catch(unlessRefused)
    },
    async sendMemory(to) {
      await tell('migrate-set-capabilities', capabilities(true, 'from'))
      await tell('migrate-set-parameters', withKey)
      await tell('migrate', { uri: uri(to) })
    },
    async memory() {
      const seen = (await qmp.execute('query-migrate')) as { status?: MemoryStatus; ram?: Ram; 'error-desc'?: string }
      const { total = 0, transferred = 0, remaining = 0 } = seen.ram ?? {}
      const progress = { total, sent: transferred, left: remaining }
      return { status: seen.status ?? 'none', progress, error: seen['error-desc'] }
    },
    handOver: () => tell('migrate-continue', { state: 'pre-switchover' }),
    cancelMemory: () => tell('migrate_cancel'),

    async forgetMove() {
      if (await jobSeen()) await tell('job-dismiss', { id: job })
      for (const node of [target, word]) if (await hasNode(node)) await tell('blockdev-del', { 'node-name': node })
      await tell('migrate-set-parameters', { 'tls-creds': '' })
      await tell('migrate-set-capabilities', capabilities(false, 'from'))
      if (await hasObject(key)) await tell('object-del', { id: key })
    },
  }
}
