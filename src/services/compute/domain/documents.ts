import type { Desired, Vm, VmSeen } from '../../../agents/document.ts'
import type { Clock } from '../../../kit/clock.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { AgentDesk } from '../../service.ts'
import type { ComputeTables, ServerRow } from '../tables.ts'
import { configDriveFiles } from './metadata/config-drive.ts'
import { type Server, serverOf, unseen } from './server.ts'
import { serverKind } from './servers.ts'

/** How long a guest may take to answer the power button, unless its image says otherwise. */
const graceSeconds = 60

/** What a host is told of a server. Pure. */
const vmOf = (server: Server): Vm => ({
  id: server.id,
  generation: server.generation,
  name: server.name,
  vcpus: server.flavor.vcpus,
  memoryMb: server.flavor.memoryMb,
  diskGb: server.flavor.rootGb,
  image: {
    id: server.image.id,
    format: server.image.format,
    sizeBytes: server.image.sizeBytes,
    sha512: server.image.sha512,
    virtualSizeBytes: server.image.virtualSizeBytes,
  },
  power: server.power,
  boots: server.boots,
  softBoots: server.softBoots,
  graceSeconds: graceOf(server),
  nics: server.ports.map(({ id, device, mac, mtu }) => ({ portId: id, device, mac, mtu })),
  configDrive: server.configDrive ? configDriveFiles(server) : undefined,
  requestId: server.requestId,
})

function graceOf({ image }: Server): number {
  const asked = Number(image.properties['os_shutdown_timeout'])
  return Number.isInteger(asked) && asked >= 0 && asked <= 3600 ? asked : graceSeconds
}

/** What a host says of a server, as columns. */
const sight = (host: string, seen: VmSeen) => ({
  seen_host: host,
  seen_generation: seen.generation,
  seen_power: seen.power,
  seen_boots: seen.boots,
  seen_soft_boots: seen.softBoots,
  seen_error: seen.error ?? '',
})

type Seen = ReturnType<typeof sight>
const differs = (row: ServerRow, now: Seen | typeof unseen) =>
  (Object.keys(sight('', nothing)) as (keyof Seen)[]).some((column) => row[column] !== now[column])
const nothing: VmSeen = { id: '', generation: 0, power: 'off', boots: 0, softBoots: 0, pid: 0, error: undefined }

/** The agents of guests: what should be on a host, and what is. */
export function vmDesk(db: Db<ComputeTables>, clock: Clock, work: Work): AgentDesk {
  const concerning = (on: Pick<Tx<ComputeTables>, 'selectFrom'>, host: string) =>
    on
      .selectFrom('compute_server')
      .selectAll()
      .where('deleted', '=', 0)
      .where((eb) => eb.or([eb('host', '=', host), eb('seen_host', '=', host)]))
  const isWaited = (row: ServerRow) => row.assigned === 0 && row.withdrawn_at > 0
  const note = (host: string, set: { vm_asked_at: number }) =>
    db.transaction((tx) => tx.updateTable('compute_host').set(set).where('name', '=', host).execute())

  return {
    async desired(host): Promise<Desired<Vm>> {
      // Taken before the rows are read: a report of this round proves nothing about what is withdrawn later.
      const at = clock.now()
      const rows = await concerning(db.read, host).execute()
      if (rows.some(isWaited)) await note(host, { vm_asked_at: at })
      const mine = rows.filter((row) => row.host === host && row.assigned === 1)
      return { complete: true, items: mine.map((row) => vmOf(serverOf(row))) }
    },
    async report(host, seen): Promise<void> {
      const told = new Map((seen as VmSeen[]).map((one) => [one.id, one]))
      const rows = await concerning(db.read, host).execute()
      const next = (row: ServerRow) => {
        const one = told.get(row.id)
        if (one) return sight(host, one)
        return row.seen_host === host ? unseen : undefined
      }
      const changed = rows.filter((row) => {
        const now = next(row)
        return now !== undefined && differs(row, now)
      })
      const waited = rows.filter((row) => row.host === host && isWaited(row))
      if (changed.length === 0 && waited.length === 0) return
      await db.transaction(async (tx) => {
        for (const row of changed)
          await tx
            .updateTable('compute_server')
            .set({ ...next(row), seen_at: clock.now() })
            .where('id', '=', row.id)
            .execute()
        if (waited.length > 0)
          await tx
            .updateTable('compute_host')
            .set((eb) => ({ vm_heard_at: eb.ref('vm_asked_at') }))
            .where('name', '=', host)
            .execute()
        for (const row of new Set([...changed, ...waited])) await work.wake(serverKind, row.id, tx as never)
      })
    },
  }
}
