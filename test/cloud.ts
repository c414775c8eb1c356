import type { TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AgentKind } from '../src/agents/document.ts'
import { simRoads } from '../src/drivers/hypervisor/sim/host.ts'
import { type FakeClock, fakeClock } from '../src/kit/clock.ts'
import { loopback } from '../src/kit/contract/contract.ts'
import { type Log, silentLog } from '../src/kit/log.ts'
import type { Caller } from '../src/kit/policy/caller.ts'
import { type Cloud, openCloud } from '../src/main/cloud.ts'
import { directLink, localHosts } from '../src/main/local-hosts.ts'
import type { ServiceName } from '../src/main/services.ts'
import { type SimulatedHost, simulatedHost } from '../src/main/simulated-host.ts'
import type { Identity } from '../src/services/identity/contract.ts'
import { watchAsks } from './asks.ts'
import { freshCloudDatabase } from './database.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape; a wrong look fails the test.
export type Json = any
export type Answer = { status: number; headers: Record<string, string>; body: Json }
export type AskOptions = { version?: string; headers?: Record<string, string> }
type Ask = (path: string, options?: AskOptions) => Promise<Answer>
type AskWithBody = (path: string, body?: unknown, options?: AskOptions) => Promise<Answer>
export type ServiceClient = {
  get: Ask
  head: Ask
  delete: Ask
  post: AskWithBody
  put: AskWithBody
  patch: AskWithBody
}
/** What one token may do, service by service. Paths are below `/v3`, `/v2`, `/v2.1`, `/v2.0` or, with `//` in front, whole. */
export type Client = Record<ServiceName, ServiceClient> & { caller: Caller }

const bases: Record<ServiceName, string> = { identity: '/v3', image: '/v2', compute: '/v2.1', network: '/v2.0', placement: '' }
const versionTypes: Partial<Record<ServiceName, string>> = { compute: 'compute', placement: 'placement' }

export type TestCloud = {
  cloud: Cloud
  clock: FakeClock
  /** Roles admin, manager, member and reader on project `admin`. */
  admin: Client
  /** Roles member and reader on project `demo`. */
  member: Client
  /** Role reader on project `demo`. */
  reader: Client
  /** Role manager (member, reader) on project `demo`. */
  manager: Client
  /** Role member on another project. */
  stranger: Client
  /** Role service. */
  service: Client
  /** A client with any token of the real identity service (or none: undefined). */
  withToken(token: string | undefined): Client
  /** A new project's member. */
  newProject(): Client
  hosts: SimulatedHost[]
  /** Names of hosts that neither do nor say anything while they are in here. */
  silent: Set<string>
  /** A new host, simulated, already alive. */
  addHost(name: string, facts?: Parameters<typeof simulatedHost>[0]['facts']): Promise<SimulatedHost>
  /** Runs machines and agents until nothing is due. */
  settle(): Promise<void>
  close(): Promise<void>
}

export type TestCloudOptions = {
  /** Names of simulated hosts. Default: one, `host-1`. */
  hosts?: string[]
  /** Also bootstraps identity, so that `POST /v3/auth/tokens` works (user admin, password `secret`). */
  identity?: boolean
  identitySettings?: Parameters<typeof openCloud>[0]['identity']
  network?: Partial<Parameters<typeof openCloud>[0]['network']>
  /** Images lie on disk in this folder. Default: in memory. */
  imageDir?: string
  /** Settings of image; `stores` beside the usual one. */
  image?: Parameters<typeof openCloud>[0]['image']
  /** Default: none. */
  log?: Log
}

export const callerOf = (project: string, name: string, roles: string[]): Caller => ({
  userId: name.padEnd(32, '0'),
  userName: name,
  userDomainId: 'default',
  projectId: project.padEnd(32, '0'),
  projectName: project,
  projectDomainId: 'default',
  domainId: undefined,
  system: false,
  roles,
  methods: ['password'],
  delegation: undefined,
  auditIds: [],
  expiresAt: Number.MAX_SAFE_INTEGER,
})

/** All services over one database in memory (or PostgreSQL), simulated hosts, a clock that stands still, contracts that clone. */
export async function testCloud(t: TestContext | undefined, options: TestCloudOptions = {}): Promise<TestCloud> {
  const clock = fakeClock()
  const { log = silentLog } = options
  const database = await freshCloudDatabase()
  const tokens = new Map<string, Caller>()
  const hinted = new Set<string>()
  const asks = watchAsks()
  const hosts = localHosts((host, kind) => hinted.add(`${host}/${kind}`))
  const cloud = await openCloud({
    database: database.url,
    region: 'RegionOne',
    adminPassword: 'secret',
    hashing: 'weak',
    ...(options.imageDir === undefined ? {} : { imageDir: options.imageDir }),
    ...(options.image === undefined ? {} : { image: options.image }),
    identity: options.identitySettings ?? {},
    network: {
      tenantTypes: ['vxlan'],
      flat: ['extnet'],
      vlanRanges: [{ physicalNetwork: 'physnet1', from: 100, to: 199 }],
      vniRanges: [[1, 10_000]],
      tunnelIdRanges: [[1, 1000]],
      physicalMtu: 1500,
      ...options.network,
    },
    hosts,
    url: (service) => `http://${service}.test`,
    clock,
    log,
    knownTokens: tokens,
    asked: asks.note,
    bind: (name, calls) =>
      loopback(name, name === 'identity' ? (withKnown(calls as unknown as Identity, tokens) as never) : calls),
  })
  if (options.identity) await cloud.bootstrap()
  let projects = 0
  const roads = simRoads()

  const addHost: TestCloud['addHost'] = async (name, facts = {}) => {
    const link = directLink(() => cloud.desk, name)
    const host = simulatedHost({ name, link, clock, log, everyMs: 0, facts, roads })
    hosts.add(host)
    await link.facts(await host.facts())
    return host
  }
  for (const name of options.hosts ?? ['host-1']) await addHost(name)

  /** One look of an agent. */
  const look = async (key: string): Promise<boolean> => {
    const [name, kind] = key.split('/') as [string, AgentKind]
    if (silent.has(name)) return false
    const host = hosts.all().find((one) => one.name === name)
    return (await host?.rounds[kind]?.step()) ?? false
  }
  const silent = new Set<string>()
  const settle = async () => {
    for (const host of hosts.all())
      if (!silent.has(host.name)) await directLink(() => cloud.desk, host.name).facts(await host.facts())
    let due = hosts.all().flatMap((host) => Object.keys(host.rounds).map((kind) => `${host.name}/${kind}`))
    for (let pass = 0, patience = 5; pass < 200 && patience > 0; pass++) {
      await cloud.runner.settle()
      hinted.clear()
      const again = new Set<string>()
      for (const key of due) if (await look(key)) again.add(key)
      await cloud.runner.settle()
      const wanted = new Set([...hinted, ...again])
      if (wanted.size === 0) return
      if (hinted.size === 0) patience--
      due = [...wanted]
    }
  }

  const client = (token: string | undefined, caller: Caller): Client => {
    const ask =
      (service: ServiceName, method: string) =>
      async (path: string, body?: unknown, { version, headers = {} }: AskOptions = {}) => {
        const type = versionTypes[service]
        const raw = body instanceof Uint8Array
        const answer = await cloud.apps[service].inject({
          method: method as 'GET',
          url: path.startsWith('//') ? path.slice(1) : `${bases[service]}${path}`,
          headers: {
            ...(token === undefined ? {} : { 'x-auth-token': token }),
            ...(version && type ? { 'openstack-api-version': `${type} ${version}` } : {}),
            ...(raw ? { 'content-type': 'application/octet-stream' } : {}),
            ...headers,
          },
          ...(body === undefined ? {} : { payload: raw ? Buffer.from(body) : (body as object) }),
        })
        const isJson = String(answer.headers['content-type'] ?? '').includes('json')
        return {
          status: answer.statusCode,
          headers: answer.headers as Record<string, string>,
          body: isJson && answer.body !== '' ? JSON.parse(answer.body) : answer.body,
        }
      }
    const service = (name: ServiceName): ServiceClient => {
      const bare = (method: string) => (path: string, options?: AskOptions) => ask(name, method)(path, undefined, options)
      return {
        get: bare('GET'),
        head: bare('HEAD'),
        delete: bare('DELETE'),
        post: ask(name, 'POST'),
        put: ask(name, 'PUT'),
        patch: ask(name, 'PATCH'),
      }
    }
    const names = Object.keys(bases) as ServiceName[]
    return { caller, ...(Object.fromEntries(names.map((name) => [name, service(name)])) as Record<ServiceName, ServiceClient>) }
  }
  const known = (token: string, caller: Caller): Client => {
    tokens.set(token, caller)
    return client(token, caller)
  }
  const nobody = callerOf('', '', [])

  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    for (const host of hosts.all()) await hosts.remove(host.name)
    await cloud.close()
    asks.tell()
    await database.drop()
    // Tests that wait for nothing never let go of what is put off until later, each cloud with it.
    await nextTurn()
  }
  if (t) closeAfter(t, { close })
  return {
    cloud,
    clock,
    admin: known('admin-token', callerOf('ad', 'aa', ['admin', 'manager', 'member', 'reader'])),
    member: known('member-token', callerOf('de', 'bb', ['member', 'reader'])),
    reader: known('reader-token', callerOf('de', 'cc', ['reader'])),
    manager: known('manager-token', callerOf('de', 'dd', ['manager', 'member', 'reader'])),
    stranger: known('stranger-token', callerOf('0f', 'ee', ['member', 'reader'])),
    service: known('service-token', callerOf('5e', 'ff', ['service'])),
    withToken: (token) => client(token, nobody),
    newProject: () => known(`token-${++projects}`, callerOf(`a${projects}`, `b${projects}`, ['member', 'reader'])),
    get hosts() {
      return hosts.all() as SimulatedHost[]
    },
    silent,
    addHost,
    settle,
    close,
  }
}

/** Projects of the handed-out tokens are real to other services. */
const withKnown = (identity: Identity, tokens: Map<string, Caller>): Identity => ({
  ...identity,
  async project(ask) {
    const known = [...tokens.values()].find((caller) => caller.projectId === ask.id)
    return known ? { id: ask.id, name: known.projectName ?? '', domainId: 'default', enabled: true } : identity.project(ask)
  },
})

/** node:test keeps what it calls after a test until the process ends: it must not keep the cloud, which is some megabytes. */
function closeAfter(t: TestContext, held: { close?: () => Promise<void> }): void {
  t.after(async () => {
    await held.close?.()
    delete held.close
  })
}
