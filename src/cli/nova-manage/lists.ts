import { pyText } from '../python.ts'
import { tableLines } from '../table.ts'

export type ServiceRow = {
  binary: string
  host: string
  zone: string
  enabled: boolean
  up: boolean
  /** Microseconds since 1970; undefined: never. */
  updatedAt?: number | undefined
}

/** As a controller answers `census`. */
export type Census = {
  hosts: { name: string; zone: string; vcpus: number; memoryMb: number; diskGb: number }[]
  guests: Guest[]
  flavors: Flavor[]
}

export type Guest = {
  id: string
  name: string
  host: string
  zone: string
  flavor: string
  vcpus: number
  memoryMb: number
  diskGb: number
  state: string
  launchedAt: number
  image: string
  projectId: string
  userId: string
  index: number
}

export type Flavor = {
  id: string
  name: string
  memoryMb: number
  vcpus: number
  rootGb: number
  ephemeralGb: number
  swapMb: number
  rxtxFactor: number
  isPublic: boolean
  extraSpecs: Record<string, string>
}

/** Values one blank apart, each filled up to its width; a longer one pushes the rest to the right. */
const line = (values: string[], widths: number[]) => values.map((value, at) => value.padEnd(widths[at] ?? 0)).join(' ')
const time = (micros: number | undefined) =>
  micros === undefined || micros === 0 ? 'None' : new Date(micros / 1000).toISOString().slice(0, 19).replace('T', ' ')

const serviceWidths = [16, 36, 16, 10, 5, 10]
export const serviceTable = (rows: readonly ServiceRow[]): string[] =>
  [
    ['Binary', 'Host', 'Zone', 'Status', 'State', 'Updated_At'],
    ...rows.map(({ binary, host, zone, enabled, up, updatedAt }) => [
      binary,
      host,
      zone,
      enabled ? 'enabled' : 'disabled',
      up ? ':-)' : 'XXX',
      time(updatedAt),
    ]),
  ].map((values) => line(values, serviceWidths))

/** Programs of old whose work others do now: they are as the scheduler is. */
const conductorFirst = ['nova-conductor', 'nova-cert', 'nova-consoleauth', 'nova-scheduler']

/**
 * The controllers' services under the name of the machine that shows them, in the order of 2014, the two that are gone among them: their work is done
 * by whoever answers, and scripts look for their rows.
 */
export function withOldServices(rows: readonly ServiceRow[], controller: string, here: string): ServiceRow[] {
  const inside = rows.filter((row) => row.host === controller)
  const model = inside[0]
  if (!model) return [...rows]
  const named = conductorFirst.map((binary) => ({
    ...(inside.find((row) => row.binary === binary) ?? model),
    binary,
    host: here,
  }))
  const others = inside.filter(({ binary }) => !conductorFirst.includes(binary)).map((row) => ({ ...row, host: here }))
  return [...named, ...others, ...rows.filter((row) => row.host !== controller)]
}

export function hostTable(services: readonly ServiceRow[], zone?: string): string[] {
  const zones = new Map<string, string>()
  for (const row of services) if (!zones.has(row.host) && (zone === undefined || row.zone === zone)) zones.set(row.host, row.zone)
  return [['host', 'zone'], ...zones].map(([host = '', name = '']) => `${host.padEnd(25)}\t${name.padEnd(15)}`)
}

const guestWidths = [10, 15, 10, 10, 26, 9, 9, 9, 10, 10, 10, 5]
const guestNames = [
  'instance',
  'node',
  'type',
  'state',
  'launched',
  'image',
  'kernel',
  'ramdisk',
  'project',
  'user',
  'zone',
  'index',
]
export const guestTable = (guests: readonly Guest[]): string[] =>
  [
    guestNames,
    ...guests.map((one) => [
      one.name,
      one.host === '' ? 'None' : one.host,
      one.flavor,
      one.state,
      time(one.launchedAt),
      one.image,
      '',
      '',
      one.projectId,
      one.userId,
      one.zone === '' ? 'None' : one.zone,
      String(one.index),
    ]),
  ].map((values) => line(values, guestWidths))

export const flavorLines = (flavors: readonly Flavor[]): string[] =>
  flavors.map(
    (one) =>
      `${one.name}: Memory: ${one.memoryMb}MB, VCPUS: ${one.vcpus}, Root: ${one.rootGb}GB, Ephemeral: ${one.ephemeralGb}Gb, FlavorID: ${one.id}, ` +
      `Swap: ${one.swapMb}MB, RXTX Factor: ${decimal(one.rxtxFactor)}, ${one.isPublic ? 'public' : 'private'}, ExtraSpecs ${pyText(one.extraSpecs)}`,
  )

const decimal = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value))

/** What a host has, what its guests use, and what each project's use. Undefined for a host there is none of. */
export function resourceTable({ hosts, guests }: Census, name: string): string[] | undefined {
  const host = hosts.find((one) => one.name === name)
  if (!host) return undefined
  const own = guests.filter((guest) => guest.host === name)
  const sum = (some: readonly Guest[]) => [
    some.reduce((total, { vcpus }) => total + vcpus, 0),
    some.reduce((total, { memoryMb }) => total + memoryMb, 0),
    some.reduce((total, { diskGb }) => total + diskGb, 0),
  ]
  const numbers = (values: readonly number[]) => values.map((value) => String(value).padStart(8)).join('')
  const row = (label: string, values: readonly number[]) => `${name.padEnd(16)}${label.padEnd(25)}${numbers(values)}`
  const projects = [...new Set(own.map(({ projectId }) => projectId))]
  return [
    `${'HOST'.padEnd(25)}${'PROJECT'.padStart(16)}${'cpu'.padStart(8)}${'mem(mb)'.padStart(8)}${'hdd'.padStart(8)}`,
    row('(total)', [host.vcpus, host.memoryMb, host.diskGb]),
    row('(used_now)', sum(own.filter(({ state }) => state === 'active'))),
    row('(used_max)', sum(own)),
    ...projects.map(
      (project) =>
        `${name.padEnd(25)}${project.padStart(16)}${numbers(sum(own.filter(({ projectId }) => projectId === project)))}`,
    ),
  ]
}

/** There is one cell, by the name and id the first has where cells are set up simply. */
const cell = { name: 'cell1', id: '00000000-0000-0000-0000-000000000001' }
export const cellTable = (): string[] =>
  tableLines(
    ['Name', 'UUID', 'Transport URL', 'Database Connection', 'Disabled'],
    [[cell.name, cell.id, 'none:/', 'none:/', 'False']],
  )
export const cellHosts = (hosts: Census['hosts']): string[] =>
  tableLines(
    ['Cell Name', 'Cell UUID', 'Hostname'],
    hosts.map(({ name }) => [cell.name, cell.id, name]),
  )
export const cellOf = (id: string): string => `Instance ${id} is in cell: ${cell.name} (${cell.id})`
