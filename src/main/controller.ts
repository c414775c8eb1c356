import { join } from 'node:path'
import type { AgentKind } from '../agents/document.ts'
import type { Bus } from '../kit/bus/bus.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { migrate } from '../kit/db/migrate.ts'
import { Problem } from '../kit/errors.ts'
import { type LinkServer, openLinkServer } from '../kit/link/server.ts'
import type { Log } from '../kit/log.ts'
import type { Hosts } from '../services/service.ts'
import { type Cloud, openCloud } from './cloud.ts'
import type { Config, Secrets } from './config.ts'
import { type Enrolment, enrolmentMigrations, openEnrolment } from './enrolment.ts'
import { identitySettings } from './identity-settings.ts'
import { imageSettings } from './image-settings.ts'
import { openNeutronFiles } from './neutron-files.ts'
import { operatorCalls } from './operator.ts'
import { openQuestions, type Questions, questionMigrations } from './questions.ts'
import { serviceNames } from './services.ts'

export type Controller = { cloud: Cloud; close(): Promise<void> }

export type ControllerOptions = {
  config: Config
  secrets: Secrets
  roles: Set<string>
  log: Log
  clock?: Clock
  /** Where files of neutron's plugins may be. Default /etc/neutron/plugins. */
  neutronFolder?: string
}

const hintTopic = 'hosts'

/** A controller of an installed cloud: role `api` listens, role `work` runs machines; the link to hosts belongs to `api`. */
export async function startController({
  config,
  secrets,
  roles,
  log,
  clock = systemClock(),
  neutronFolder,
}: ControllerOptions): Promise<Controller> {
  const link: { server?: LinkServer; bus?: Bus; questions?: Questions } = {}
  const hosts: Hosts = {
    // Through the bus: the host may be connected to another controller.
    hint: (host, kind) => link.bus?.publish(hintTopic, `${host} ${kind}`),
    ask: async (host, question) => link.questions?.ask(host, question),
  }
  const files = await openNeutronFiles({
    folder: neutronFolder,
    stateFile: join(config.stateDir, 'neutron-files.json'),
    isAgent: false,
    log,
  })
  const configured = { physicalMtu: 1500, ...config.network }
  // One object, read at each use.
  const network = { ...configured, ...files.overlay().server }
  const sayNetwork = () =>
    log.info(network, `files of neutron are gone by: tenants get ${network.tenantTypes.join(', ') || 'no'} networks`)
  if (Object.keys(files.overlay().server).length > 0) sayNetwork()
  const unwatch = files.watch(() => {
    Object.assign(network, configured, files.overlay().server)
    sayNetwork()
  })
  const cloud = await openCloud({
    database: config.database,
    region: config.region,
    adminPassword: secrets.adminPassword,
    hashing: 'strong',
    identity: identitySettings(config.identity ?? {}, secrets.credentialKeys),
    imageDir: join(config.stateDir, 'images'),
    image: imageSettings(config.image ?? {}, {
      stateDir: config.stateDir,
      node: config.host,
      keys: secrets.imageStores ?? {},
      log,
    }),
    network,
    hosts,
    url: (service) => `http://${config.host}:${config.ports[service]}`,
    clock,
    log,
  })
  link.bus = cloud.bus
  cloud.bus.subscribe(hintTopic, (text) => {
    const [host = '', kind = ''] = text.split(' ')
    link.server?.hint(host, kind)
  })
  await cloud.bootstrap()
  await migrate(cloud.db, clock, [...enrolmentMigrations, ...questionMigrations])
  link.questions = openQuestions({
    db: cloud.db,
    bus: cloud.bus,
    clock,
    server: () => link.server,
    alone: cloud.db.kind === 'sqlite',
  })
  if (roles.has('api')) {
    const enrolment = openEnrolment(cloud.db, clock)
    link.server = await openLinkServer({
      port: config.ports.link,
      bind: config.bind,
      key: secrets.linkKey,
      ...(secrets.linkCertificate && { tls: { certificate: secrets.linkCertificate, privateKey: secrets.linkPrivateKey ?? '' } }),
      isHostKey: enrolment.isKey,
      log,
      calls: {
        ...hostCalls(cloud),
        ...operatorCalls(cloud, hosts, () => link.server?.hosts() ?? [], files.problems),
        ...enrolmentCalls(enrolment, (host) => link.server?.drop(host)),
      },
      joins: { host: async (host, { token }: { token: string }) => ({ key: await enrolment.join(host, String(token)) }) },
      streams: { blob: (_, id) => cloud.desk.blob(id) },
    })
    for (const name of serviceNames) await cloud.apps[name].listen({ port: config.ports[name], host: config.bind })
  }
  if (roles.has('work')) cloud.runner.start()
  log.info({ roles: [...roles], ms: Math.round(performance.now()) }, 'the control plane is ready')
  return {
    cloud,
    async close() {
      unwatch()
      await link.server?.close()
      await cloud.close()
    },
  }
}

/** What agents call. The host's name comes from the connection, never from the message. */
const hostCalls = ({ desk }: Cloud) => ({
  desired: (host: string, { kind }: { kind: AgentKind }) => desk.agent(kind).desired(host),
  report: (host: string, { kind, seen }: { kind: AgentKind; seen: unknown[] }) => desk.agent(kind).report(host, seen),
  facts: (host: string, facts: Parameters<typeof desk.facts>[0]) => desk.facts({ ...facts, name: host }),
  hello: async (host: string) => host,
  metadata: (_: string, request: Parameters<typeof desk.metadata>[0]) => desk.metadata(request),
})

/** What the deployer asks: an operator's calls carry no host name. */
const enrolmentCalls = ({ invite, forget }: Enrolment, drop: (host: string) => void) => ({
  invite: async (from: string, { host }: { host: string }) => {
    forOperators(from)
    return { token: await invite(host) }
  },
  forget: async (from: string, { host }: { host: string }) => {
    forOperators(from)
    await forget(host)
    drop(host)
  },
})

const forOperators = (from: string) => {
  if (from !== '') throw new Problem('forbidden', 'This is for operators.')
}
