import { openAsBlob } from 'node:fs'
import { outside } from '../place.ts'
import type { Api } from './api.ts'

/** A thing of the demo set. Found by its name, so that it may be asked for again at any time. */
export type Wanted = { what: string; isThere(): Promise<boolean>; make(): Promise<void> }

export type DemoNeeds = {
  admin: Api
  demoPassword: string
  imageFile: string
  /** Physical network behind the public one. Default extnet. */
  physicalNetwork?: string
}

type Named = { id: string; name: string }

const flavors: [name: string, id: string, memoryMb: number, diskGb: number, vcpus: number][] = [
  ['m1.nano', '42', 128, 1, 1],
  ['m1.tiny', '1', 512, 1, 1],
  ['m1.small', '2', 2048, 20, 1],
  ['m1.medium', '3', 4096, 40, 2],
  ['m1.large', '4', 8192, 80, 4],
  ['m1.xlarge', '5', 16384, 160, 8],
]

/** The sizes of guests packstack makes. */
export const flavorSet = (admin: Api): Wanted[] => flavors.map((flavor) => flavorWanted(admin, flavor))

/** The demo set of packstack, in the order in which it must be made. */
export const demoSet = (needs: DemoNeeds): Wanted[] => [
  ...flavorSet(needs.admin),
  imageWanted(needs),
  ...identityWanted(needs),
  ...networkWanted(needs.admin, needs.physicalNetwork ?? outside.physicalNetwork),
]

function flavorWanted(admin: Api, [name, id, ram, disk, vcpus]: (typeof flavors)[number]): Wanted {
  return {
    what: `flavor ${name}`,
    async isThere() {
      const { flavors: found } = await admin.get<{ flavors: Named[] }>('compute', '/flavors?limit=1000')
      return found.some((flavor) => flavor.name === name)
    },
    make: async () => void (await admin.post('compute', '/flavors', { flavor: { name, id, ram, disk, vcpus } })),
  }
}

type Image = Named & { status: string }

function imageWanted({ admin, imageFile }: DemoNeeds): Wanted {
  const found = async () => (await admin.get<{ images: Image[] }>('image', '/images?name=mini')).images
  return {
    what: 'image mini',
    isThere: async () => (await found()).some(({ status }) => status === 'active'),
    async make() {
      // One without all its bytes was left by a run that was killed in the upload.
      for (const { id } of await found()) await admin.delete('image', `/images/${id}`)
      const image = { name: 'mini', disk_format: 'qcow2', container_format: 'bare', visibility: 'public', min_ram: 64 }
      const { id } = await admin.post<Image>('image', '/images', image)
      await admin.upload('image', `/images/${id}/file`, await openAsBlob(imageFile))
    },
  }
}

const one = async (admin: Api, kind: 'projects' | 'users' | 'roles', name: string): Promise<string | undefined> =>
  (await admin.get<Record<string, Named[]>>('identity', `/${kind}?name=${name}`))[kind]?.[0]?.id

const must = async (found: Promise<string | undefined>, what: string): Promise<string> => {
  const id = await found
  if (id === undefined) throw new Error(`${what} is not there`)
  return id
}

function identityWanted({ admin, demoPassword }: DemoNeeds): Wanted[] {
  const project = () => must(one(admin, 'projects', 'demo'), 'project demo')
  const user = () => must(one(admin, 'users', 'demo'), 'user demo')
  const grant = async () =>
    `/projects/${await project()}/users/${await user()}/roles/${await must(one(admin, 'roles', 'member'), 'role member')}`
  return [
    {
      what: 'project demo',
      isThere: async () => (await one(admin, 'projects', 'demo')) !== undefined,
      make: async () => void (await admin.post('identity', '/projects', { project: { name: 'demo', domain_id: 'default' } })),
    },
    {
      what: 'user demo',
      isThere: async () => (await one(admin, 'users', 'demo')) !== undefined,
      async make() {
        const account = { name: 'demo', password: demoPassword, domain_id: 'default', default_project_id: await project() }
        await admin.post('identity', '/users', { user: account })
      },
    },
    {
      what: 'role of demo',
      isThere: async () => {
        const assigned = await admin.get<{ role_assignments: unknown[] }>(
          'identity',
          `/role_assignments?user.id=${await user()}&scope.project.id=${await project()}`,
        )
        return assigned.role_assignments.length > 0
      },
      make: async () => void (await admin.put('identity', await grant(), undefined)),
    },
  ]
}

function networkWanted(admin: Api, physicalNetwork: string): Wanted[] {
  const found = async (kind: 'networks' | 'subnets' | 'routers', name: string) =>
    (await admin.get<Record<string, (Named & Record<string, unknown>)[]>>('network', `/${kind}?name=${name}`))[kind]?.[0]
  const id = (kind: Parameters<typeof found>[0], name: string) =>
    must(
      found(kind, name).then((one) => one?.id),
      `${kind} ${name}`,
    )
  const wanted = (kind: Parameters<typeof found>[0], name: string, body: () => Promise<object>): Wanted => ({
    what: `${kind.slice(0, -1)} ${name}`,
    isThere: async () => (await found(kind, name)) !== undefined,
    make: async () => void (await admin.post('network', `/${kind}`, { [kind.slice(0, -1)]: { name, ...(await body()) } })),
  })
  const demoProject = () => must(one(admin, 'projects', 'demo'), 'project demo')
  return [
    wanted('networks', 'public', async () => ({
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': physicalNetwork,
    })),
    wanted('subnets', 'public_subnet', async () => ({
      network_id: await id('networks', 'public'),
      ip_version: 4,
      cidr: outside.cidr,
      gateway_ip: outside.gateway,
      enable_dhcp: false,
      allocation_pools: [outside.pool],
    })),
    wanted('networks', 'private', async () => ({ project_id: await demoProject() })),
    wanted('subnets', 'private_subnet', async () => ({
      project_id: await demoProject(),
      network_id: await id('networks', 'private'),
      ip_version: 4,
      cidr: '10.0.0.0/24',
      dns_nameservers: ['8.8.8.8'],
    })),
    wanted('routers', 'router1', async () => ({
      project_id: await demoProject(),
      external_gateway_info: { network_id: await id('networks', 'public') },
    })),
    {
      what: 'interface of router1',
      async isThere() {
        const subnet = await id('subnets', 'private_subnet')
        const { ports } = await admin.get<{ ports: { fixed_ips: { subnet_id: string }[] }[] }>(
          'network',
          `/ports?device_id=${await id('routers', 'router1')}`,
        )
        return ports.some(({ fixed_ips }) => fixed_ips.some(({ subnet_id }) => subnet_id === subnet))
      },
      async make() {
        const ask = { subnet_id: await id('subnets', 'private_subnet') }
        await admin.put('network', `/routers/${await id('routers', 'router1')}/add_router_interface`, ask)
      },
    },
  ]
}

/** Whether the whole set is there. */
export async function isDemoThere(set: readonly Wanted[]): Promise<boolean> {
  for (const wanted of set) if (!(await wanted.isThere())) return false
  return true
}

/** Makes what is missing. An error names the thing. */
export async function makeDemo(set: readonly Wanted[]): Promise<void> {
  for (const { what, isThere, make } of set)
    try {
      if (!(await isThere())) await make()
    } catch (error) {
      throw new Error(`${what} could not be made`, { cause: error })
    }
}
