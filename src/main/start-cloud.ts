import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openApi } from '../deploy/demo/api.ts'
import { demoSet } from '../deploy/demo/demo.ts'
import { simRoads } from '../drivers/hypervisor/sim/host.ts'
import { type Clock, systemClock } from '../kit/clock.ts'
import { type Log, silentLog } from '../kit/log.ts'
import { type Cloud, type CloudOptions, openCloud } from './cloud.ts'
import { emptyQcow2 } from './empty-image.ts'
import { directLink, localHosts } from './local-hosts.ts'
import { operatorCalls } from './operator.ts'
import { type ServiceName, serviceNames } from './services.ts'
import { type SimulatedHost, simulatedHost } from './simulated-host.ts'

export type StartOptions = {
  /** How many simulated hosts. Default 3. */
  hosts?: number
  /** False: only what no cloud can be without; else also the demo set of `packstack --allinone`. Default true. */
  demo?: boolean
  /** Password of the users admin and demo. Default `secret`. */
  password?: string
  /** Address to listen on. Default 127.0.0.1. */
  bind?: string
  /** Fixed ports by service; those not named are any free ones. */
  ports?: Partial<Record<ServiceName, number>>
  /** Default: in memory. A file or a postgres URL outlives the cloud. */
  database?: string
  /** Settings of image; `stores` beside the usual one. */
  image?: CloudOptions['image']
  /** Folder of image bytes. Default: memory. */
  imageDir?: string
  /** Settings of identity, as password rules. */
  identity?: CloudOptions['identity']
  log?: Log
  clock?: Clock
}

export type StartedCloud = {
  /** Where each service listens. */
  urls: Record<ServiceName, string>
  /** OS_… variables of a user in a project, as the clients of OpenStack read them. */
  env(user?: 'admin' | 'demo'): Record<string, string>
  /** Their faults can be set: `hosts[0].hypervisor.faults.bootFails = '…'`. */
  hosts: SimulatedHost[]
  addHost(name: string): Promise<SimulatedHost>
  /** What is wrong between rows and hosts; empty when all is well. */
  doctor(): Promise<string[]>
  cloud: Cloud
  close(): Promise<void>
}

/** Facts are a heartbeat: a host that sent none for a minute is down. */
const heartbeatMs = 20_000

/**
 * A whole simulated cloud in this process, on free ports: many may run side by side. It is ready to use when this returns. Needs no root and leaves
 * nothing behind once closed.
 */
export async function startCloud(options: StartOptions = {}): Promise<StartedCloud> {
  const { hosts: count = 3, password = 'secret', bind = '127.0.0.1', log = silentLog, clock = systemClock() } = options
  const hosts = localHosts()
  const urls = {} as Record<ServiceName, string>
  const cloud = await openCloud({
    database: options.database ?? ':memory:',
    region: 'RegionOne',
    adminPassword: password,
    hashing: 'weak',
    ...(options.image === undefined ? {} : { image: options.image }),
    ...(options.imageDir === undefined ? {} : { imageDir: options.imageDir }),
    ...(options.identity === undefined ? {} : { identity: options.identity }),
    network: {
      tenantTypes: ['vxlan'],
      flat: ['*'],
      vlanRanges: [{ physicalNetwork: 'physnet1', from: 1, to: 4094 }],
      vniRanges: [[1, 65_535]],
      tunnelIdRanges: [[1, 65_535]],
      physicalMtu: 1500,
    },
    hosts,
    url: (service) => urls[service],
    clock,
    log,
  })
  const beats: NodeJS.Timeout[] = []
  const roads = simRoads()
  const addHost = async (name: string) => {
    const link = directLink(() => cloud.desk, name)
    const host = simulatedHost({ name, link, clock, log, roads, facts: { tunnelIp: `192.0.2.${beats.length + 1}` } })
    hosts.add(host)
    await link.facts(await host.facts())
    beats.push(setInterval(() => void host.facts().then(link.facts), heartbeatMs).unref())
    return host
  }
  const close = async () => {
    for (const beat of beats) clearInterval(beat)
    for (const host of hosts.all()) await hosts.remove(host.name)
    await cloud.close()
  }
  for (const name of serviceNames) urls[name] = await cloud.apps[name].listen({ port: options.ports?.[name] ?? 0, host: bind })
  try {
    await cloud.bootstrap()
    for (let n = 1; n <= count; n++) await addHost(`host-${n}`)
    cloud.runner.start()
    if (options.demo ?? true) await makeDemo(urls.identity, password)
  } catch (error) {
    await close()
    throw error
  }
  const operator = operatorCalls(cloud, hosts, () => hosts.all().map((host) => host.name))
  return {
    urls,
    cloud,
    addHost,
    get hosts() {
      return hosts.all() as SimulatedHost[]
    },
    env: (user = 'admin') => ({
      OS_AUTH_URL: `${urls.identity}/v3`,
      OS_USERNAME: user,
      OS_PASSWORD: password,
      OS_PROJECT_NAME: user,
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: 'RegionOne',
      OS_IDENTITY_API_VERSION: '3',
    }),
    doctor: async () => (await operator.doctor('', undefined)).problems,
    close,
  }
}

async function makeDemo(identity: string, password: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-'))
  try {
    const imageFile = join(folder, 'mini.qcow2')
    await writeFile(imageFile, emptyQcow2(64 << 20))
    const admin = await openApi({ url: `${identity}/v3`, user: 'admin', password, project: 'admin' })
    for (const wanted of demoSet({ admin, demoPassword: password, imageFile })) {
      if (!(await wanted.isThere())) await wanted.make()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
