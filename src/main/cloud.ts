import { diskBlobs, memoryBlobs } from '../drivers/blobs/index.ts'
import { type Bus, memoryBus } from '../kit/bus/bus.ts'
import { postgresBus } from '../kit/bus/postgres.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { connect } from '../kit/contract/contract.ts'
import { type Migration, migrate } from '../kit/db/migrate.ts'
import { type Db, openDb } from '../kit/db/open.ts'
import type { Endpoint } from '../kit/http/endpoint.ts'
import { serve } from '../kit/http/serve.ts'
import { type Log, openLog } from '../kit/log.ts'
import type { Caller } from '../kit/policy/caller.ts'
import { openPolicy } from '../kit/policy/policy.ts'
import { quotaMigrations } from '../kit/quota/quota.ts'
import { openRunner, type Runner } from '../kit/work/runner.ts'
import { workMigrations } from '../kit/work/tables.ts'
import { openWork, type Work } from '../kit/work/work.ts'
import type { IdentitySettings } from '../services/identity/index.ts'
import type { ImageSettings, Store } from '../services/image/index.ts'
import type { NetworkSettings } from '../services/network/index.ts'
import type { Hosts, Service } from '../services/service.ts'
import { type Desk, deskOf } from './desk.ts'
import { type Contracts, kinds, openServices, type ServiceName, serviceNames } from './services.ts'

export type CloudOptions = {
  /** `:memory:`, a file, or a postgres URL. */
  database: string
  region: string
  adminPassword: string
  hashing: 'strong' | 'weak'
  /** What identity is set to beside its defaults: password rules, the model of limits, keys. */
  identity?: Omit<IdentitySettings, 'hashing'>
  /** Folder of image bytes; undefined: memory. */
  imageDir?: string
  /** What image is set to beside its defaults; `stores` come after the usual one. */
  image?: Partial<ImageSettings>
  network: NetworkSettings
  /** How hosts are reached. */
  hosts: Hosts
  /** Address of a service for the catalog and links, asked once the cloud listens. */
  url: (service: ServiceName) => string
  clock?: Clock
  log?: Log
  /** Tokens known beside identity's: tests hand out callers without passwords. */
  knownTokens?: Map<string, Caller>
  /** Told of every rule a handler asks by `can`. */
  asked?: (service: ServiceName, endpoint: Endpoint, rule: string) => void
  /** How contracts are bound; default `connect`. */
  bind?: typeof connect
}

type App = ReturnType<typeof serve>
type Apps = Record<ServiceName, App>

export type Cloud = {
  db: Db<unknown>
  bus: Bus
  work: Work
  runner: Runner
  desk: Desk
  contracts: Contracts
  services: Record<ServiceName, Service>
  /** Each is made when it is first asked for. */
  apps: Apps
  /** Admin, roles, catalog: once the addresses are known, and again at each start. */
  bootstrap(): Promise<{ adminUserId: string; adminProjectId: string }>
  close(): Promise<void>
}

/** Names users of the catalog know the services by. */
const catalogNames: Record<ServiceName, { type: string; name: string; path: string }> = {
  identity: { type: 'identity', name: 'keystone', path: '/v3' },
  image: { type: 'image', name: 'glance', path: '' },
  compute: { type: 'compute', name: 'nova', path: '/v2.1' },
  placement: { type: 'placement', name: 'placement', path: '' },
  network: { type: 'network', name: 'neutron', path: '' },
}

const usualStore = (folder: string | undefined): Store =>
  folder === undefined
    ? { id: 'local', type: 'mem', blobs: memoryBlobs() }
    : { id: 'local', type: 'file', blobs: diskBlobs(folder), properties: { data_dir: folder }, address: `file://${folder}/` }

/** All tables of a cloud. */
export const cloudMigrations = (): Migration[] => [
  ...workMigrations,
  ...quotaMigrations,
  ...kinds.flatMap((kind) => kind.migrations),
]

/** Database, services and their HTTP faces; listens nowhere and works at nothing until told to. Nothing stays open of one that cannot be opened. */
export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { log = openLog() } = options
  const db = await openDb(options.database)
  const bus = db.kind === 'postgres' ? await postgresBus(options.database, log) : memoryBus()
  try {
    return await assemble({ ...options, log }, db, bus)
  } catch (error) {
    await bus.close()
    await db.close()
    throw error
  }
}

async function assemble(options: CloudOptions & { log: Log }, db: Db<unknown>, bus: Bus): Promise<Cloud> {
  const { clock = systemClock(), log, bind = connect } = options
  await migrate(db, clock, cloudMigrations())
  const work = openWork(db, bus, clock)
  const policies = Object.fromEntries(kinds.map((kind) => [kind.name, openPolicy(kind.policies)]))
  const shared = { db, clock, log, work, bus, hosts: options.hosts, region: options.region }
  const { services, contracts } = openServices((name) => ({ ...shared, policy: policies[name]! }), bind, {
    image: { ...options.image, stores: [usualStore(options.imageDir), ...(options.image?.stores ?? [])] },
    identity: { ...options.identity, hashing: options.hashing },
    network: options.network,
  })
  const authenticate = async (token: string) => options.knownTokens?.get(token) ?? contracts.identity.authenticate({ token })
  const face = (name: ServiceName) => {
    const { dialect, endpoints } = services[name]
    return serve({
      name,
      type: catalogNames[name].type,
      dialect,
      endpoints,
      policy: policies[name]!,
      authenticate,
      asked: options.asked && ((endpoint, rule) => options.asked?.(name, endpoint, rule)),
      log,
      identityUrl: () => options.url('identity'),
    })
  }
  const { apps, closeApps } = onDemand(face)
  const machines = serviceNames.flatMap((name) => services[name].machines)
  const runner = openRunner({ db, bus, clock, log, machines })
  return {
    db,
    bus,
    work,
    runner,
    desk: deskOf(Object.values(services)),
    contracts,
    services,
    apps,
    bootstrap: () =>
      contracts.identity.bootstrap({
        adminPassword: options.adminPassword,
        region: options.region,
        services: serviceNames.map((name) => {
          const { type, name: title, path } = catalogNames[name]
          return { type, name: title, url: `${options.url(name)}${path}` }
        }),
      }),
    async close() {
      await runner.close()
      await closeApps()
      await bus.close()
      await db.close()
    },
  }
}

/** Routers are most of what a cloud costs to open: a test that asks one service, or none, does not pay for all. */
function onDemand(face: (name: ServiceName) => App): { apps: Apps; closeApps(): Promise<void> } {
  const made = new Map<ServiceName, App>()
  const app = (name: ServiceName): App => {
    const one = made.get(name) ?? face(name)
    made.set(name, one)
    return one
  }
  const doors = serviceNames.map((name) => [name, { enumerable: true, get: () => app(name) }] as const)
  return {
    apps: Object.defineProperties({}, Object.fromEntries(doors)) as Apps,
    async closeApps() {
      for (const one of made.values()) await one.close()
    },
  }
}
