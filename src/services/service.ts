import type { AgentKind, Desired, HostFacts, MetadataReply, MetadataRequest, Question } from '../agents/document.ts'
import type { Bus } from '../kit/bus/bus.ts'
import type { Clock } from '../kit/clock.ts'
import type { Migration } from '../kit/db/migrate.ts'
import type { Db } from '../kit/db/open.ts'
import type { Dialect } from '../kit/http/dialect.ts'
import type { Endpoint } from '../kit/http/endpoint.ts'
import type { Log } from '../kit/log.ts'
import type { Policy, PolicyDefault } from '../kit/policy/policy.ts'
import type { Machine } from '../kit/work/machine.ts'
import type { Work } from '../kit/work/work.ts'

/** What every service is given. */
export type Deps = {
  db: Db<unknown>
  clock: Clock
  log: Log
  /** The service's own rules. */
  policy: Policy
  work: Work
  bus: Bus
  hosts: Hosts
  /** Name of the one region. */
  region: string
}

/** The way from a service to the hosts. */
export type Hosts = {
  /** "Look again": may be lost. Call it after the commit. */
  hint(host: string, kind: AgentKind): void
  /** Asks an agent and waits. Throws unavailable when the host does not answer. */
  ask(host: string, question: Question): Promise<unknown>
}

/** What a service tells hosts, and hears from them. Hosts are named; each call says which one asks. */
export type HostDesk = {
  /** By kind of agent: what should be on the host, and what was seen there. Desired is derived from rows each time. */
  agents: Partial<Record<AgentKind, AgentDesk>>
  /** A host joined or is alive (each 20 s at least). */
  facts?(facts: HostFacts): Promise<void>
  /** Bytes of an image for a host that runs it. Throws not-found. */
  blob?(id: string): Promise<AsyncIterable<Uint8Array>>
  metadata?(request: MetadataRequest): Promise<MetadataReply>
}

export type AgentDesk = {
  desired(host: string): Promise<Desired<unknown>>
  report(host: string, seen: unknown[]): Promise<void>
}

/** What is known of a service before it is opened. */
export type ServiceKind = {
  /** identity, image, compute, … : the catalog's word of the first part of its type. */
  name: string
  migrations: Migration[]
  policies: PolicyDefault[]
}

/** A service on one screen. */
export type Service<Contract = object> = {
  dialect: Dialect
  endpoints: Endpoint[]
  machines: Machine[]
  contract: Contract
  desk?: HostDesk
  /** Facts for `altostack doctor`: what this service's rows say should be on hosts and in other services, and what is wrong inside. */
  audit?(): Promise<Audit>
}

/** One service's side of a comparison: `altostack doctor` compares what should exist with what is held, and with what hosts have. */
export type Audit = {
  /** Found wrong within the service itself, as sentences with a remedy. */
  problems: string[]
  /** Ids that should exist by its rows: `vm`, `port`, `router`, `dhcp` (on hosts), `allocation` (consumers, in placement), `server-port` (owners, in network), `blob`. */
  exists: Partial<Record<AuditKind, string[]>>
  /** Ids it keeps on behalf of others, or outside the database: placement its `allocation`, network its `server-port`, image its `blob`. */
  holds: Partial<Record<AuditKind, string[]>>
}

export type AuditKind = 'vm' | 'port' | 'router' | 'dhcp' | 'allocation' | 'server-port' | 'blob'
