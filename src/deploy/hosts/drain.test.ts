import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Api, ApiRefused } from '../demo/api.ts'
import { drainGuests } from './drain.ts'
import { drainNetwork } from './drain-network.ts'

type Server = { id: string; name: string; status: string; host: string }

/** A cloud whose guests go where there is room as soon as they are told; `full` is the reason why there is none. */
function fakeCompute(servers: Server[], { resizes = [] as string[], full = '' } = {}) {
  const moved: string[] = []
  const asked: string[] = []
  const shown = ({ host, ...server }: Server) => ({ ...server, 'OS-EXT-SRV-ATTR:host': host })
  const api = {
    async get(_: string, path: string) {
      const { pathname, searchParams } = new URL(path, 'http://cloud')
      if (pathname === '/servers/detail')
        return { servers: servers.filter(({ host }) => host === searchParams.get('host')).map(shown) }
      if (pathname === '/os-migrations') {
        const ids = searchParams.get('migration_type') === 'resize' ? resizes : moved
        return { migrations: ids.map((id) => ({ instance_uuid: id })) }
      }
      if (pathname.endsWith('/os-instance-actions')) return { instanceActions: [{ message: full, start_time: '1' }] }
      return { server: shown(servers.find(({ id }) => pathname.endsWith(id))!) }
    },
    async post(_: string, path: string, body: object) {
      const server = servers.find(({ id }) => path.includes(id))!
      const action = Object.keys(body)[0]!
      asked.push(`${server.name} ${action}`)
      if (action === 'confirmResize') moved.splice(moved.indexOf(server.id), 1)
      else if (full === '') {
        server.host = 'other'
        if (action === 'migrate') {
          moved.push(server.id)
          server.status = 'VERIFY_RESIZE'
        }
      }
    },
  } as unknown as Api
  return { api, asked }
}

const server = (name: string, status: string): Server => ({ id: `id-${name}`, name, status, host: 'h1' })
const drain = async (admin: Api) => {
  const lines: string[] = []
  const stuck = await drainGuests({ admin, host: 'h1', timeoutMs: 1000, done: (text) => lines.push(text) })
  return { stuck, lines }
}

test('running guests go as they run, the rest with their disks, and what was only waiting to be confirmed is', async () => {
  const { api, asked } = fakeCompute([server('a', 'ACTIVE'), server('b', 'SHUTOFF'), server('c', 'PAUSED')])
  assert.deepEqual(await drain(api), { stuck: [], lines: ['Moving a to other', 'Moving b to other', 'Moving c to other'] })
  assert.deepEqual(asked, ['a os-migrateLive', 'b migrate', 'c os-migrateLive', 'b confirmResize'])
  assert.deepEqual(await drain(api), { stuck: [], lines: [] })
})

test('a guest that cannot go is named with what to do, and then none goes', async () => {
  const { api, asked } = fakeCompute([server('a', 'ACTIVE'), server('b', 'SUSPENDED'), server('c', 'VERIFY_RESIZE')], {
    resizes: ['id-d'],
  })
  const { stuck } = await drain(api)
  assert.deepEqual(asked, [])
  assert.match(
    stuck.join('\n'),
    /^id-b {2}b: it is SUSPENDED; delete it.*\nid-c {2}c: it is VERIFY_RESIZE; openstack server resize confirm.*\nid-d: its resize waits/,
  )
})

test('a guest for which there is no room stays, with the reason, and the others are still tried', async () => {
  const { api, asked } = fakeCompute([server('a', 'ACTIVE'), server('b', 'ACTIVE')], { full: 'No valid host was found.' })
  const { stuck } = await drain(api)
  assert.deepEqual(stuck, [
    'id-a  a: it did not go: No valid host was found.',
    'id-b  b: it did not go: No valid host was found.',
  ])
  assert.equal(asked.length, 2)
})

/** Agents of three hosts; only those of `able` take a router. */
function fakeNetwork(able: string[]) {
  const agents = ['h1', 'h2', 'h3'].flatMap((host) =>
    ['L3 agent', 'DHCP agent'].map((type) => ({
      id: `${type[0]}-${host}`,
      agent_type: type,
      host,
      alive: true,
      admin_state_up: true,
    })),
  )
  const homes = new Map([
    ['r1', 'L-h1'],
    ['n1', 'D-h1'],
  ])
  const on = (id: string, first: string) =>
    [...homes].filter(([name, home]) => name[0] === first && home === id).map(([name]) => ({ id: name, name }))
  const api = {
    async get(_: string, path: string) {
      const id = path.split('/')[2] ?? ''
      return path === '/agents' ? { agents } : { routers: on(id, 'r'), networks: on(id, 'n') }
    },
    async put(_: string, path: string, { agent }: { agent: object }) {
      Object.assign(agents.find(({ id }) => path.endsWith(id))!, agent)
    },
    delete: async (_: string, path: string) => void homes.delete(path.split('/').at(-1)!),
    async post(_: string, path: string, body: object) {
      const agent = agents.find(({ id }) => path.includes(id))!
      if (!agent.admin_state_up || !able.includes(agent.host)) throw new ApiRefused('POST', path, 409, 'NoEligibleAgent')
      homes.set(Object.values(body)[0] as string, agent.id)
    },
  } as unknown as Api
  return { api, homes, agents }
}

test('routers and address servers go to the first host that takes them, and none comes back', async () => {
  const { api, homes, agents } = fakeNetwork(['h1', 'h3'])
  const lines: string[] = []
  assert.deepEqual(await drainNetwork(api, 'h1', (text) => lines.push(text)), [])
  assert.deepEqual(Object.fromEntries(homes), { r1: 'L-h3', n1: 'D-h3' })
  assert.deepEqual(lines, ['Moving router r1 to h3', 'Moving the address server of n1 to h3'])
  assert.ok(agents.filter(({ host }) => host === 'h1').every((agent) => !agent.admin_state_up))
})

test('a router that no other host takes stays where it is, and is named', async () => {
  const { api, homes } = fakeNetwork(['h1'])
  const stuck = await drainNetwork(api, 'h1', () => {})
  assert.match(stuck.join('\n'), /^router r1: no other host.*\nthe address server of n1: no other host/)
  assert.deepEqual(Object.fromEntries(homes), { r1: 'L-h1', n1: 'D-h1' })
})
