/**
 * The figures we publish: a controller process over SQLite, simulated hosts, one client process; all on this machine. Prints a table with the aim of each.
 * Ends with 1 only when an answer was wrong: a slow machine is no failure.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, type Figure, measure, openConnection } from './client.ts'
import { password, startController } from './controller.ts'

const tell = (what: string, value: string, aim: string) => console.log(`${what.padEnd(46)} ${value.padEnd(44)} ${aim}`)
const figure = ({ perSecond, p50Ms, p95Ms }: Figure) =>
  `${perSecond.toFixed(0)}/s  p50 ${p50Ms.toFixed(1)} ms  p95 ${p95Ms.toFixed(1)} ms`

const controller = await startController()
tell('start to ready, empty database', `${controller.readyMs.toFixed(0)} ms`, 'under 1500 ms')
await sleep(2000)
tell('memory of the controller, idle (PSS)', `${controller.pssMb().toFixed(0)} MB`, 'with the agent under 250 MB')
for (let n = 1; n <= 3; n++) await controller.addHost(`load-${n}`)

const opened: Connection[] = []
const connections = async (service: Parameters<typeof controller.url>[0], count: number) => {
  const made = await Promise.all(Array.from({ length: count }, () => openConnection(controller.url(service))))
  opened.push(...made)
  return made
}
const json = { 'content-type': 'application/json' }
const login = JSON.stringify({
  auth: {
    identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password } } },
    scope: { project: { name: 'admin', domain: { id: 'default' } } },
  },
})
const identity = await connections('identity', 8)
const token = async (connection: Connection) => {
  const answer = await connection.ask('POST', '/v3/auth/tokens', json, login)
  assert.equal(answer.status, 201, answer.body)
  return /x-subject-token: (\S+)/i.exec(answer.headers)![1]!
}
const admin = await token(identity[0]!)
const auth = { ...json, 'x-auth-token': admin }
const get = async (connection: Connection, path: string) => {
  const answer = await connection.ask('GET', path, auth)
  assert.equal(answer.status, 200, answer.body)
  return answer.body
}
const post = async (connection: Connection, path: string, body: unknown, status: number) => {
  const answer = await connection.ask('POST', path, auth, JSON.stringify(body))
  assert.equal(answer.status, status, answer.body)
  return JSON.parse(answer.body)
}

tell(
  'token by password, 1 client',
  figure(await measure(20, identity.slice(0, 1), async (one) => void (await token(one)))),
  'the hash only',
)
tell('token by password, 8 clients', figure(await measure(80, identity, async (one) => void (await token(one)))), 'the hash only')
const validate = async (one: Connection) => {
  const answer = await one.ask('GET', '/v3/auth/tokens?nocatalog', { ...auth, 'x-subject-token': admin })
  assert.equal(answer.status, 200)
}
await measure(2000, identity, validate)
tell('token validation, 8 clients', figure(await measure(20_000, identity, validate)), 'over 5000/s')

const compute = await connections('compute', 8)
const network = (await connections('network', 1))[0]!
const image = (await connections('image', 1))[0]!
await post(compute[0]!, '/v2.1/flavors', { flavor: { name: 'load', ram: 64, vcpus: 1, disk: 1 } }, 200)
const flavors = JSON.parse(await get(compute[0]!, '/v2.1/flavors')) as { flavors: { id: string }[] }
const { id: imageId } = await post(image, '/v2/images', { name: 'load', disk_format: 'raw', container_format: 'bare' }, 201)
const bytes = await image.ask(
  'PUT',
  `/v2/images/${imageId}/file`,
  { ...auth, 'content-type': 'application/octet-stream' },
  'x'.repeat(1024),
)
assert.equal(bytes.status, 204, bytes.body)
const net = await post(network, '/v2.0/networks', { network: { name: 'load' } }, 201)
await post(network, '/v2.0/subnets', { subnet: { network_id: net.network.id, cidr: '10.0.0.0/16', ip_version: 4 } }, 201)
const unlimited = { quota_set: { instances: -1, cores: -1, ram: -1 } }
const project = (JSON.parse(await get(identity[0]!, '/v3/projects?name=admin')) as { projects: { id: string }[] }).projects[0]!.id
await compute[0]!.ask('PUT', `/v2.1/os-quota-sets/${project}`, auth, JSON.stringify(unlimited))
await network.ask('PUT', `/v2.0/quotas/${project}`, auth, JSON.stringify({ quota: { port: -1 } }))

const server = (name: string) => ({
  server: { name, imageRef: imageId, flavorRef: flavors.flavors[0]!.id, networks: [{ uuid: net.network.id }] },
})
const create = async (one: Connection, name: string) => String((await post(one, '/v2.1/servers', server(name), 202)).server.id)
const active = async (one: Connection, id: string) => {
  const end = performance.now() + 120_000
  while (performance.now() < end) {
    const { status, fault } = JSON.parse(await get(one, `/v2.1/servers/${id}`)).server
    if (status === 'ACTIVE') return
    assert.notEqual(status, 'ERROR', JSON.stringify(fault))
    await sleep(5)
  }
  throw new Error(`${id} did not become ACTIVE`)
}
await active(compute[0]!, await create(compute[0]!, 'warm'))
const lone = await measure(20, compute.slice(0, 1), async (one, n) => active(one, await create(one, `lone-${n}`)))
tell('server to ACTIVE, one at a time', figure(lone), 'under 100 ms')

const ids: string[] = []
const alone = await measure(20, compute.slice(0, 1), async (one, n) => void ids.push(await create(one, `alone-${n}`)))
tell('POST /servers, 1 client', figure(alone), 'p50 under 15 ms')
const beganMany = performance.now()
tell(
  'POST /servers, 100 at once',
  figure(await measure(100, compute, async (one, n) => void ids.push(await create(one, `many-${n}`)))),
  '',
)
await measure(ids.length, compute.slice(0, 2), async (one, n) => active(one, ids[n]!))
tell('all 100 ACTIVE', `${((performance.now() - beganMany) / 1000).toFixed(2)} s`, 'under 2 s')

const more = await measure(859, compute, async (one, n) => void ids.push(await create(one, `list-${n}`)))
tell('POST /servers, 8 clients, 1000 servers', figure(more), '')
await active(compute[0]!, ids.at(-1)!)
await sleep(3000)
const list = await measure(20, compute.slice(0, 1), async (one) => {
  const { servers } = JSON.parse(await get(one, '/v2.1/servers/detail?limit=1000'))
  assert.equal(servers.length, 1000)
})
tell('list of 1000 servers in detail', figure(list), 'under 100 ms')
tell('memory of the controller after all this (PSS)', `${controller.pssMb().toFixed(0)} MB`, '')

for (const one of opened) one.close()
await controller.close()
process.exit(0)
