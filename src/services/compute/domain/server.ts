import type { MoveSeen, Power, VmSeen } from '../../../agents/document.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { secret } from '../../../kit/ids.ts'
import type { NetworkPort, NicAsk } from '../../network/contract.ts'
import type { ServerRow } from '../tables.ts'
import type { Flavor } from './flavors.ts'
import type { Sight, TaskState, VmState } from './states.ts'

export type FlavorSnapshot = Omit<Flavor, 'rxtxFactor' | 'isPublic' | 'description'>

export type ImageSnapshot = {
  id: string
  name: string
  format: 'raw' | 'qcow2'
  sizeBytes: number
  virtualSizeBytes: number
  sha512: string
  properties: Record<string, string>
}

export type KeySnapshot = { name: string; type: 'ssh' | 'x509'; publicKey: string }

/** A place for a port. The number never changes: by it the port is found again. */
export type Nic = NicAsk & { index: number }

/** `details` is for admins. */
export type Fault = { code: number; message: string; details: string; created: number }

/** How a guest goes from host to host. */
export type MovePlan = {
  /** UUID of the migration. */
  id: string
  kind: 'live' | 'cold'
  key: string
  from: string
  to: string
  since: number
  /** The host it goes to is told to wait for it, the one it comes from to send it there. */
  arrives: boolean
  leaves: boolean
  forced: boolean
  /** Where it is waited for; undefined: nowhere yet. */
  destination: { address: string; memoryPort: number; diskPort: number } | undefined
  /** When it was handed over; 0: it was not. */
  landedAt: number
  /** It goes back to where it came from: what was left there is its own again. */
  returns: boolean
  /** Of a resize: what it is on either host. */
  flavors: { from: FlavorSnapshot; to: FlavorSnapshot } | undefined
}

export type Server = {
  id: string
  number: number
  projectId: string
  userId: string
  name: string
  hostname: string
  description: string | null
  reservationId: string
  launchIndex: number
  flavor: FlavorSnapshot
  image: ImageSnapshot
  keyName: string | null
  key: KeySnapshot | undefined
  userData: string | null
  configDrive: boolean
  accessIpV4: string
  accessIpV6: string
  diskConfig: string
  metadata: Record<string, string>
  pinnedZone: string
  zone: string
  forcedHost: string
  groupId: string
  nics: Nic[]
  securityGroups: string[]
  ports: NetworkPort[]
  portsChanged: number
  portsFollowed: number
  host: string
  assigned: boolean
  withdrawnAt: number
  refusedHosts: string[]
  generation: number
  power: Power
  boots: number
  softBoots: number
  vmState: VmState
  taskState: TaskState
  powerState: number
  failing: boolean
  fault: Fault | undefined
  locked: boolean
  lockedBy: string
  lockedReason: string | null
  seenHost: string
  seen: Sight
  seenAt: number
  progress: number
  seed: string
  requestId: string
  createdAt: number
  updatedAt: number
  launchedAt: number
  terminatedAt: number
  deleted: boolean
  moveId: string
  move: MovePlan | undefined
  moveHost: string
  moveThere: boolean
  moveWithdrawnAt: number
  /** What its host tells of the move, and what the other host tells at all. */
  moveSeen: MoveSeen | undefined
  otherSeen: VmSeen | undefined
}

const parsed = <T>(text: string): T | undefined => (text === '' ? undefined : fromJson<T>(text))

export const serverOf = (row: ServerRow): Server => ({
  id: row.id,
  number: row.number,
  projectId: row.project_id,
  userId: row.user_id,
  name: row.name,
  hostname: row.hostname,
  description: row.description,
  reservationId: row.reservation_id,
  launchIndex: row.launch_index,
  flavor: fromJson(row.flavor),
  image: fromJson(row.image),
  keyName: row.key_name === '' ? null : row.key_name,
  key: row.key === '' ? undefined : fromJson(row.key),
  userData: row.user_data,
  configDrive: fromBit(row.config_drive),
  accessIpV4: row.access_ip_v4,
  accessIpV6: row.access_ip_v6,
  diskConfig: row.disk_config,
  metadata: fromJson(row.metadata),
  pinnedZone: row.pinned_zone,
  zone: row.zone,
  forcedHost: row.forced_host,
  groupId: row.group_id,
  nics: fromJson(row.nics),
  securityGroups: fromJson(row.security_groups),
  ports: fromJson(row.ports),
  portsChanged: row.ports_changed,
  portsFollowed: row.ports_followed,
  host: row.host,
  assigned: fromBit(row.assigned),
  withdrawnAt: row.withdrawn_at,
  refusedHosts: fromJson(row.refused_hosts),
  generation: row.generation,
  power: row.power as Power,
  boots: row.boots,
  softBoots: row.soft_boots,
  vmState: row.vm_state as VmState,
  taskState: row.task_state as TaskState,
  powerState: row.power_state,
  failing: fromBit(row.failing),
  fault: row.fault === '' ? undefined : fromJson(row.fault),
  locked: fromBit(row.locked),
  lockedBy: row.locked_by,
  lockedReason: row.locked_reason,
  seenHost: row.seen_host,
  seen: {
    generation: row.seen_generation,
    power: row.seen_power as Sight['power'],
    boots: row.seen_boots,
    softBoots: row.seen_soft_boots,
    error: row.seen_error,
  },
  seenAt: row.seen_at,
  progress: row.progress,
  seed: row.seed,
  requestId: row.request_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  launchedAt: row.launched_at,
  terminatedAt: row.terminated_at,
  deleted: fromBit(row.deleted),
  moveId: row.move_id,
  move: parsed(row.move),
  moveHost: row.move_host,
  moveThere: fromBit(row.move_there),
  moveWithdrawnAt: row.move_withdrawn_at,
  moveSeen: parsed(row.move_seen),
  otherSeen: parsed(row.other_seen),
})

/** What a server begins with; the rest is the same for all. */
export type Birth = Pick<
  Server,
  | 'id'
  | 'number'
  | 'projectId'
  | 'userId'
  | 'name'
  | 'hostname'
  | 'description'
  | 'reservationId'
  | 'launchIndex'
  | 'flavor'
  | 'image'
  | 'key'
  | 'userData'
  | 'configDrive'
  | 'accessIpV4'
  | 'accessIpV6'
  | 'diskConfig'
  | 'metadata'
  | 'pinnedZone'
  | 'forcedHost'
  | 'groupId'
  | 'nics'
  | 'securityGroups'
  | 'createdAt'
> & { hints: Record<string, unknown>; requestId: string }

export const rowOf = (birth: Birth): ServerRow => ({
  id: birth.id,
  number: birth.number,
  project_id: birth.projectId,
  user_id: birth.userId,
  name: birth.name,
  hostname: birth.hostname,
  description: birth.description,
  reservation_id: birth.reservationId,
  launch_index: birth.launchIndex,
  flavor: toJson(birth.flavor),
  flavor_id: birth.flavor.id,
  vcpus: birth.flavor.vcpus,
  memory_mb: birth.flavor.memoryMb,
  root_gb: birth.flavor.rootGb,
  image_id: birth.image.id,
  image: toJson(birth.image),
  key_name: birth.key?.name ?? '',
  key: birth.key ? toJson(birth.key) : '',
  user_data: birth.userData,
  config_drive: toBit(birth.configDrive),
  access_ip_v4: birth.accessIpV4,
  access_ip_v6: birth.accessIpV6,
  disk_config: birth.diskConfig,
  metadata: toJson(birth.metadata),
  pinned_zone: birth.pinnedZone,
  zone: '',
  forced_host: birth.forcedHost,
  hints: toJson(birth.hints),
  group_id: birth.groupId,
  nics: toJson(birth.nics),
  security_groups: toJson(birth.securityGroups),
  ports: '[]',
  ports_changed: 0,
  ports_followed: 0,
  host: '',
  assigned: 0,
  withdrawn_at: 0,
  refused_hosts: '[]',
  generation: 1,
  power: 'on',
  boots: 1,
  soft_boots: 0,
  vm_state: 'building',
  task_state: 'scheduling',
  power_state: 0,
  failing: 0,
  fault: '',
  locked: 0,
  locked_by: '',
  locked_reason: null,
  ...unseen,
  progress: 0,
  seed: secret(),
  request_id: birth.requestId,
  created_at: birth.createdAt,
  updated_at: birth.createdAt,
  launched_at: 0,
  terminated_at: 0,
  deleted: 0,
  ...unmoved,
})

/** No host says anything about it. */
export const unseen = {
  seen_host: '',
  seen_generation: 0,
  seen_power: '',
  seen_boots: 0,
  seen_soft_boots: 0,
  seen_error: '',
  seen_at: 0,
  move_seen: '',
}

/** It is not on its way anywhere. */
export const unmoved = {
  move_id: '',
  move: '',
  move_host: '',
  move_there: 0,
  move_withdrawn_at: 0,
  move_seen: '',
  other_seen: '',
}

/** The name of the guest on its host, as `instance_name_template` makes it. */
export const instanceName = ({ number }: { number: number }): string => `instance-${number.toString(16).padStart(8, '0')}`
