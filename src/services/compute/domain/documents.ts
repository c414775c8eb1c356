import type { Desired, Vm, VmSeen } from '../../../agents/document.ts'
import type { Clock } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { AgentDesk } from '../../service.ts'
import type { ComputeTables, ServerRow } from '../tables.ts'
import { configDriveFiles } from './metadata/config-drive.ts'
import { type FlavorSnapshot, type MovePlan, type Server, serverOf, unseen } from './server.ts'
import { serverKind } from './servers.ts'

/** How long a guest may take to answer the power button, unless its image says otherwise. */
const graceSeconds = 60

/** What a host is told of a server: the one it is on, or the other one of its move. Pure. */
export const vmOf = (server: Server, host: string): Vm => {
  const flavor = flavorAt(server, host)
  return {
    id: server.id,
    generation: server.generation,
    name: server.name,
    vcpus: flavor.vcpus,
    memoryMb: flavor.memoryMb,
    diskGb: diskGbAt(server, host),
    image: {
      id: server.image.id,
      format: server.image.format,
      sizeBytes: server.image.sizeBytes,
      sha512: server.image.sha512,
      virtualSizeBytes: server.image.virtualSizeBytes,
    },
    power: server.move?.kind === 'cold' && host !== server.host ? 'off' : server.power,
    boots: server.boots,
    softBoots: server.softBoots,
    graceSeconds: graceOf(server),
    nics: server.ports.map(({ id, device, mac, mtu }) => ({ portId: id, device, mac, mtu })),
    configDrive: server.configDrive ? configDriveFiles(server) : undefined,
    ...wayOf(server.move, host),
    requestId: server.requestId,
  }
}

const flavorAt = ({ flavor, move }: Server, host: string): FlavorSnapshot => {
  if (!move?.flavors) return flavor
  return host === move.to ? move.flavors.to : move.flavors.from
}

/** A copy is as large as what it is copied from; it grows when the guest starts. */
const diskGbAt = (server: Server, host: string): number => {
  const { move } = server
  return move?.flavors && move.arrives ? move.flavors.from.rootGb : flavorAt(server, host).rootGb
}

/** How the guest comes to this host, or goes. */
function wayOf(move: MovePlan | undefined, host: string): Pick<Vm, 'arrives' | 'leaves' | 'returns'> {
  if (!move) return {}
  const { id, kind, key, forced, destination } = move
  if (host === move.to) return move.arrives ? { arrives: { id, kind, key } } : {}
  if (move.leaves && destination) return { leaves: { id, kind, key, forced, ...destination } }
  return move.returns ? { returns: id } : {}
}

function graceOf({ image }: Server): number {
  const asked = Number(image.properties['os_shutdown_timeout'])
  return Number.isInteger(asked) && asked >= 0 && asked <= 3600 ? asked : graceSeconds
}

/** What a host says of a server, as columns. */
export const sight = (host: string, seen: VmSeen) => ({
  seen_host: host,
  seen_generation: seen.generation,
  seen_power: seen.power,
  seen_boots: seen.boots,
  seen_soft_boots: seen.softBoots,
  seen_error: seen.error ?? '',
  move_seen: seen.move ? toJson(seen.move) : '',
})

type Seen = Partial<Pick<ServerRow, keyof ReturnType<typeof sight> | 'other_seen' | 'seen_at'>>
const differs = (row: ServerRow, now: Seen) =>
  (Object.keys(now) as (keyof Seen)[]).some((column) => column !== 'seen_at' && row[column] !== now[column])

/** The document of this host names the server. */
const isNamed = (row: ServerRow, host: string) =>
  row.assigned === 1 && (row.host === host || (row.move_host === host && row.move_there === 1))
/** The document of this host names it no more, and it is waited for until the host says so. */
const isWaited = (row: ServerRow, host: string) =>
  row.host === host
    ? row.assigned === 0 && row.withdrawn_at > 0
    : row.move_host === host && row.move_there === 0 && row.move_withdrawn_at > 0

/** What this host says, or does not say, of a server: as columns. Undefined: it has no say. */
function told(row: ServerRow, host: string, one: VmSeen | undefined): Seen | undefined {
  if (row.host !== host && row.move_host === host) return { other_seen: one ? toJson(one) : '' }
  if (row.host !== host && row.host !== '') return row.seen_host === host ? unseen : undefined
  if (one) return sight(host, one)
  return row.seen_host === host ? unseen : undefined
}

/** The agents of guests: what should be on a host, and what is. */
export function vmDesk(db: Db<ComputeTables>, clock: Clock, work: Work): AgentDesk {
  const concerning = (on: Pick<Tx<ComputeTables>, 'selectFrom'>, host: string) =>
    on
      .selectFrom('compute_server')
      .selectAll()
      .where('deleted', '=', 0)
      .where((eb) => eb.or([eb('host', '=', host), eb('seen_host', '=', host), eb('move_host', '=', host)]))
  const note = (host: string, set: { vm_asked_at: number }) =>
    db.transaction((tx) => tx.updateTable('compute_host').set(set).where('name', '=', host).execute())

  return {
    async desired(host): Promise<Desired<Vm>> {
      // Taken before the rows are read: a report of this round proves nothing about what is withdrawn later.
      const at = clock.now()
      const rows = await concerning(db.read, host).execute()
      if (rows.some((row) => isWaited(row, host))) await note(host, { vm_asked_at: at })
      const mine = rows.filter((row) => isNamed(row, host))
      return { complete: true, items: mine.map((row) => vmOf(serverOf(row), host)) }
    },
    async report(host, seen): Promise<void> {
      const known = new Map((seen as VmSeen[]).map((one) => [one.id, one]))
      const rows = await concerning(db.read, host).execute()
      const changed = rows.flatMap((row) => {
        const now = told(row, host, known.get(row.id))
        return now !== undefined && differs(row, now) ? [{ row, now }] : []
      })
      const waited = rows.filter((row) => isWaited(row, host))
      if (changed.length === 0 && waited.length === 0) return
      await db.transaction(async (tx) => {
        for (const { row, now } of changed)
          await tx
            .updateTable('compute_server')
            .set(row.host === host ? { ...now, seen_at: clock.now() } : now)
            .where('id', '=', row.id)
            // Handed over meanwhile, the other one's word counts.
            .where('host', '=', row.host)
            .execute()
        if (waited.length > 0)
          await tx
            .updateTable('compute_host')
            .set((eb) => ({ vm_heard_at: eb.ref('vm_asked_at') }))
            .where('name', '=', host)
            .execute()
        for (const row of new Set([...changed.map((one) => one.row), ...waited])) await work.wake(serverKind, row.id, tx as never)
      })
    },
  }
}
