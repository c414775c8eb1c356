import type { MoveSeen } from '../../../agents/document.ts'
import { isoSeconds } from '../../../kit/clock.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ComputeHost } from './hosts.ts'
import type { Migration } from './migrations.ts'
import { instanceName, type Server } from './server.ts'
import { serverKind } from './servers.ts'
import { status } from './states.ts'

/** How a server is and why, as sentences for an operator. */
export async function explainServer(
  server: Server,
  host: ComputeHost | undefined,
  work: Work,
  migration: Migration | undefined,
): Promise<string[]> {
  const step = await work.stateOf(serverKind, server.id)
  const { name, id, vmState, taskState, flavor, image, seen } = server
  return [
    `Server ${name} (${id}, ${instanceName(server)}) is ${status(vmState, taskState)}${taskState === '' ? '' : `, ${taskState}`}.`,
    `It is of flavor ${flavor.name} (${flavor.vcpus} vCPU, ${flavor.memoryMb} MiB, ${flavor.rootGb} GiB), from image ${image.name || image.id}.`,
    ...(server.deleted ? [`It was deleted at ${isoSeconds(server.terminatedAt)}.`] : []),
    ...(step === undefined ? [] : [`Its machine is at step ${step}.`]),
    ...(server.host === ''
      ? ['It is on no host.']
      : [`It is on host ${server.host}, which is ${host === undefined ? 'unknown' : host.up ? 'up' : 'down'}.`]),
    ...(server.seenHost === ''
      ? []
      : [
          `The host last saw it ${seen.power} at generation ${seen.generation} (wanted: ${server.power} at ${server.generation}), at ${isoSeconds(server.seenAt)}.`,
        ]),
    ...journey(server, migration),
    ...(seen.error === '' ? [] : [`The host says: ${seen.error}`]),
    ...server.ports.map(
      (port) =>
        `Port ${port.id} (${port.device}) on ${port.networkName} has ${port.fixedIps.map((fixed) => fixed.ip).join(', ') || 'no address'}.`,
    ),
    ...(server.fault ? [`Fault at ${isoSeconds(server.fault.created)}: ${server.fault.message}`] : []),
  ]
}

const word: Record<MoveSeen['at'], string> = {
  open: 'it waits for the guest',
  going: 'it sends the guest',
  left: 'it has handed the guest over',
  arrived: 'the guest has arrived',
  failed: 'the move failed',
}

/** Where it goes, what both hosts say of that, and whose the guest is until they agree. */
function journey({ move, host, moveHost, moveSeen, otherSeen }: Server, migration: Migration | undefined): string[] {
  if (!migration) return []
  const { number, type, status, error, cancelled } = migration
  const first = `It is in migration ${number} (${type}, ${status}) from ${migration.sourceHost}${move ? ` to ${move.to}` : '; no host is chosen yet'}.`
  const says = (name: string, seen: MoveSeen | undefined) =>
    `Host ${name} ${seen?.id === move?.id && seen ? `says of it: ${word[seen.at]}${seen.error ? ` (${seen.error})` : ''}` : 'says nothing of it'}.`
  const { memory, disk } = migration.progress
  return [
    first,
    ...(move ? [says(host, moveSeen), says(moveHost, otherSeen?.move)] : []),
    ...(memory.total + disk.total > 0
      ? [`Sent so far: ${mib(memory.sent)} of ${mib(memory.total)} MiB memory, ${mib(disk.sent)} of ${mib(disk.total)} MiB disk.`]
      : []),
    ...(cancelled ? ['Somebody asked to end the migration: until its source says that it stays, it may have gone.'] : []),
    ...(error === '' ? [] : [`It is taken back: ${error}`]),
    ...(status === 'finished'
      ? ['It waits for somebody to confirm or revert it; until then its old host keeps its disk and its room.']
      : []),
  ]
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
