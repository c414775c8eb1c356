import { randomInt } from 'node:crypto'
import type { Clock } from '../../../kit/clock.ts'
import { context } from '../../../kit/context.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { isProblem, Problem } from '../../../kit/errors.ts'
import { uuid } from '../../../kit/ids.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import type { Exceeded, Quota } from '../../../kit/quota/quota.ts'
import type { Work } from '../../../kit/work/work.ts'
import type { Image, Images } from '../../image/contract.ts'
import type { Network, NicAsk } from '../../network/contract.ts'
import type { ComputeTables } from '../tables.ts'
import { next } from './counter.ts'
import type { Flavor, Flavors } from './flavors.ts'
import type { InstanceActions } from './instance-actions.ts'
import type { Keypairs } from './keypairs.ts'
import { type Birth, type FlavorSnapshot, type ImageSnapshot, type KeySnapshot, rowOf } from './server.ts'
import type { ServerGroups } from './server-groups.ts'
import { serverKind } from './servers.ts'

export type NewServer = {
  name: string
  hostname: string | undefined
  description: string | null
  flavorId: string
  imageId: string
  keyName: string | undefined
  userData: string | null
  configDrive: boolean
  accessIpV4: string
  accessIpV6: string
  diskConfig: string
  metadata: Record<string, string>
  tags: string[]
  zone: string
  forcedHost: string
  groupId: string
  hints: Record<string, unknown>
  nics: NicAsk[]
  /** With no nics: whether a network is looked for. */
  auto: boolean
  securityGroups: string[]
  minCount: number
  maxCount: number
}

export type CreateWorld = {
  db: Db<ComputeTables>
  clock: Clock
  quota: Quota<ComputeTables>
  work: Work
  flavors: Flavors
  keypairs: Keypairs
  groups: ServerGroups
  actions: InstanceActions
  images: () => Images
  network: () => Network
}

const bad = (message: string) => new Problem('invalid', message)
const GiB = 2 ** 30

/** What is checked before anything is written: everything that other services know. Throws as the API answers. */
async function gather(world: CreateWorld, caller: Caller, isAdmin: boolean, canBeDiskless: boolean, ask: NewServer) {
  const projectId = caller.projectId ?? ''
  const flavor = await world.flavors.findFor(ask.flavorId, { projectId, all: isAdmin })
  if (!flavor) throw bad(`Flavor ${ask.flavorId} could not be found.`)
  const image = await world.images().visibleTo({ id: ask.imageId, projectId, isAdmin })
  if (!image) throw bad('Can not find requested image')
  checkFit(flavor, image, canBeDiskless)
  const key = ask.keyName === undefined ? undefined : await world.keypairs.find(caller.userId, ask.keyName)
  if (ask.keyName !== undefined && !key) throw bad('Invalid key_name provided.')
  const limits = await world.quota.limits(projectId)
  if (ask.groupId !== '') await checkGroup(world.groups, projectId, ask, limits['server_group_members'] ?? -1)
  const limit = limits['metadata_items'] ?? -1
  if (limit >= 0 && Object.keys(ask.metadata).length > limit)
    throw new Problem('over-quota', `Maximum number of metadata items exceeds ${limit}`)
  const nics = await world.network().check({ projectId, isAdmin, nics: ask.nics, auto: ask.auto, servers: ask.maxCount })
  const names = ask.securityGroups.length > 0 ? ask.securityGroups : ['default']
  const groups =
    nics.length > 0 || ask.securityGroups.length > 0 ? await world.network().securityGroups({ projectId, names }) : []
  return { flavor, image, key, nics, securityGroups: groups.map((group) => group.id) }
}

async function checkGroup(groups: ServerGroups, projectId: string, { groupId, maxCount }: NewServer, limit: number) {
  if ((await groups.find(groupId))?.projectId !== projectId) throw bad(`Instance group ${groupId} could not be found.`)
  const members = (await groups.members([groupId])).get(groupId)!.length
  if (limit >= 0 && members + maxCount > limit) throw new Problem('over-quota', 'Quota exceeded, too many servers in group')
}

/** Throws invalid when an image cannot run, or not in a server of this size; forbidden when it would have a disk of no size. */
function checkFit(flavor: Flavor, image: Image, canBeDiskless: boolean): ImageSnapshot {
  if (image.status !== 'active') throw bad(`Image ${image.id} is not active.`)
  if (image.diskFormat !== 'raw' && image.diskFormat !== 'qcow2')
    throw bad(`Image ${image.id} is unacceptable: its format ${image.diskFormat} cannot be booted, only raw and qcow2 can.`)
  if (image.minRamMb > flavor.memoryMb) throw bad("Flavor's memory is too small for requested image.")
  const disk = flavor.rootGb * GiB
  const virtual = image.virtualSizeBytes ?? image.sizeBytes ?? 0
  if (disk === 0 && !canBeDiskless)
    throw new Problem('forbidden', 'Only volume-backed servers are allowed for flavors with zero disk.')
  if (disk > 0 && virtual > disk)
    throw bad(`Flavor's disk is too small for requested image. Flavor disk is ${disk} bytes, image is ${virtual} bytes.`)
  if (disk > 0 && image.minDiskGb > flavor.rootGb)
    throw bad(
      "Flavor's disk is smaller than the minimum size specified in image metadata. " +
        `Flavor disk is ${disk} bytes, minimum size is ${image.minDiskGb * GiB} bytes.`,
    )
  return {
    id: image.id,
    name: image.name ?? '',
    format: image.diskFormat,
    sizeBytes: image.sizeBytes ?? 0,
    virtualSizeBytes: virtual,
    sha512: image.sha512 ?? '',
    properties: image.properties,
  }
}

export const snapshot = (flavor: Flavor): FlavorSnapshot => ({
  id: flavor.id,
  name: flavor.name,
  memoryMb: flavor.memoryMb,
  vcpus: flavor.vcpus,
  rootGb: flavor.rootGb,
  ephemeralGb: flavor.ephemeralGb,
  swapMb: flavor.swapMb,
  extraSpecs: flavor.extraSpecs,
})

/** As many as the quota allows, from the most to the least that is asked for. */
async function allowed(tx: Tx<ComputeTables>, quota: Quota<ComputeTables>, projectId: string, flavor: Flavor, ask: NewServer) {
  const need = (count: number) => ({ cores: flavor.vcpus * count, instances: count, ram: flavor.memoryMb * count })
  try {
    await quota.allow(tx, projectId, need(ask.maxCount))
    return ask.maxCount
  } catch (error) {
    if (!isProblem(error, 'over-quota')) throw error
    const per: Record<string, number> = need(1)
    const exceeded = error.detail['exceeded'] as Exceeded[]
    const room = Math.min(...exceeded.map(({ resource, used, limit }) => Math.floor((limit - used) / per[resource]!)))
    if (room < ask.minCount) {
      await quota.allow(tx, projectId, need(ask.minCount))
      throw error
    }
    return room
  }
}

/** A name as hosts may have it (RFC 952): what is left of the server's. */
export function hostnameOf(name: string, id: string): string {
  const left = name
    .replace(/[ _]/g, '-')
    .replace(/[^\w.-]+/g, '')
    .toLowerCase()
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 63)
    .replace(/[.-]+$/, '')
  return left === '' ? `server-${id}` : left
}

const reservation = () => `r-${Array.from({ length: 8 }, () => 'abcdefghijklmnopqrstuvwxyz0123456789'[randomInt(36)]).join('')}`

export type Created = { id: string; diskConfig: string; reservationId: string; securityGroups: string[] }

export type CreateServer = (caller: Caller, may: { isAdmin: boolean; beDiskless: boolean }, ask: NewServer) => Promise<Created>

/** Writes the rows of one server or many and begins their machines: nothing is done yet when it returns. */
export const createServer =
  (world: CreateWorld): CreateServer =>
  async (caller, may, ask) => {
    const { flavor, image, key, nics, securityGroups } = await gather(world, caller, may.isAdmin, may.beDiskless, ask)
    const projectId = caller.projectId ?? ''
    const reservationId = reservation()
    const keySnapshot: KeySnapshot | undefined = key && { name: key.name, type: key.type, publicKey: key.publicKey }
    return world.db.transaction(async (tx) => {
      const count = await allowed(tx, world.quota, projectId, flavor, ask)
      const first = await next(tx, 'server', count)
      const births = Array.from({ length: count }, (_, at): Birth => {
        const id = uuid()
        const name = ask.maxCount > 1 ? `${ask.name}-${at + 1}` : ask.name
        return {
          id,
          number: first + at,
          projectId,
          userId: caller.userId,
          name,
          hostname: ask.hostname ?? hostnameOf(name, id),
          description: ask.description,
          reservationId,
          launchIndex: at,
          flavor: snapshot(flavor),
          image: checkFit(flavor, image, may.beDiskless),
          key: keySnapshot,
          userData: ask.userData,
          configDrive: ask.configDrive || image.properties['img_config_drive'] === 'mandatory',
          accessIpV4: ask.accessIpV4,
          accessIpV6: ask.accessIpV6,
          diskConfig: ask.diskConfig,
          metadata: ask.metadata,
          pinnedZone: ask.zone,
          forcedHost: ask.forcedHost,
          groupId: ask.groupId,
          hints: ask.hints,
          nics: nics.map((nic, index) => ({ ...nic, index })),
          securityGroups,
          requestId: context().requestId ?? '',
          createdAt: world.clock.now(),
        }
      })
      await tx.insertInto('compute_server').values(births.map(rowOf)).execute()
      const tags = births.flatMap(({ id }) => [...new Set(ask.tags)].map((tag) => ({ server_id: id, tag })))
      if (tags.length > 0) await tx.insertInto('compute_server_tag').values(tags).execute()
      for (const { id } of births) {
        const event = 'compute__do_build_and_run_instance'
        await world.actions.record(tx, { serverId: id, action: 'create', userId: caller.userId, projectId, event })
        await world.work.begin(tx as never, serverKind, id, 'place')
      }
      return { id: births[0]!.id, diskConfig: ask.diskConfig, reservationId, securityGroups: ask.securityGroups }
    })
  }
