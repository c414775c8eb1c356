import { isoSeconds } from '../../../kit/clock.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { ComputeHost } from './hosts.ts'
import { instanceName, type Server } from './server.ts'
import { serverKind } from './servers.ts'
import { status } from './states.ts'

/** How a server is and why, as sentences for an operator. */
export async function explainServer(server: Server, host: ComputeHost | undefined, work: Work): Promise<string[]> {
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
    ...(seen.error === '' ? [] : [`The host says: ${seen.error}`]),
    ...server.ports.map(
      (port) =>
        `Port ${port.id} (${port.device}) on ${port.networkName} has ${port.fixedIps.map((fixed) => fixed.ip).join(', ') || 'no address'}.`,
    ),
    ...(server.fault ? [`Fault at ${isoSeconds(server.fault.created)}: ${server.fault.message}`] : []),
  ]
}
