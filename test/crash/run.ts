/**
 * Real processes: several clients create and delete servers, ports, routers and floating IPs while controller and agent get kill -9 at random moments.
 * `node test/crash/run.ts [cycles]` (default 60). As root. Afterwards every acknowledged request is done or cleanly in ERROR, quotas are exact, doctor finds no orphan.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi } from '../../src/deploy/demo/api.ts'
import { installed, prove, until } from '../vm/installed.ts'

type Server = { id: string; status: string; fault?: { message: string } }
const cycles = Number(process.argv[2] ?? 60)
const clients = 4
const cloud = await installed()
const { exec } = cloud
const env = cloud.env('admin')
const login = () => openApi({ url: env['OS_AUTH_URL']!, user: 'admin', password: env['OS_PASSWORD']!, project: 'admin' })

/** The control plane may be dead at any moment: what was not acknowledged is asked again. */
const insist = async <Value>(what: string, run: () => Promise<Value>): Promise<Value> => {
  const end = performance.now() + 60_000
  for (;;) {
    try {
      return await run()
    } catch (error) {
      const status = (error as { status?: number }).status
      const retried = status === undefined || status === 401 || status === 409 || status >= 500
      if (!retried || performance.now() > end) throw new Error(`${what}: ${(error as Error).message}`)
      await sleep(300)
    }
  }
}
const gone = async (run: () => Promise<unknown>): Promise<boolean> => {
  try {
    await run()
    return false
  } catch (error) {
    if ((error as { status?: number }).status === 404) return true
    throw error
  }
}

let api = await login()
const refresh = async () => {
  api = await insist('login', login)
}

const find = async (kind: 'networks' | 'images' | 'flavors' | 'subnets', name: string): Promise<string> => {
  const service = kind === 'images' ? 'image' : kind === 'flavors' ? 'compute' : 'network'
  const found = await api.get<Record<string, { id: string; name: string }[]>>(service, `/${kind}`)
  return found[kind]!.find((one) => one.name === name)!.id
}
const [privateNet, publicNet, image, flavor] = [
  await find('networks', 'private'),
  await find('networks', 'public'),
  await find('images', 'mini'),
  await find('flavors', 'm1.nano'),
]
const tally = { active: 0, error: 0, deleted: 0, kills: 0 }
const trouble: string[] = []

/** One life: server with a port of ours and a floating IP, a router; then all of it deleted. */
async function life(n: number): Promise<void> {
  const name = `crash-${n}`
  // Found by name first: an earlier try may have been carried out though its answer was lost.
  const once = <Made extends { id: string }>(service: 'network' | 'compute', kind: string, single: string, body: object) =>
    insist(`${kind} ${name}`, async () => {
      const listed = await api.get<Record<string, Made[]>>(service, `/${kind}?name=${service === 'compute' ? `^${name}$` : name}`)
      if (listed[kind]?.[0]) return listed[kind][0]
      return (await api.post<Record<string, Made>>(service, `/${kind}`, { [single]: { name, ...body } }))[single]!
    })
  const port = await once<{ id: string }>('network', 'ports', 'port', { network_id: privateNet })
  const router = await once<{ id: string }>('network', 'routers', 'router', {
    external_gateway_info: { network_id: publicNet },
  })
  const server = await once<Server>('compute', 'servers', 'server', {
    imageRef: image,
    flavorRef: flavor,
    networks: [{ port: port.id }],
  })
  const floating = await insist(`floating ip of ${name}`, async () => {
    const { floatingips } = await api.get<{ floatingips: { id: string }[] }>('network', `/floatingips?port_id=${port.id}`)
    if (floatingips[0]) return floatingips[0]
    const body = { floatingip: { floating_network_id: publicNet, port_id: port.id } }
    return (await api.post<{ floatingip: { id: string } }>('network', '/floatingips', body)).floatingip
  })
  const settled = await until(`${name} settles`, 180, async () => {
    const { server: now } = await insist('show', () => api.get<{ server: Server }>('compute', `/servers/${server.id}`))
    return now.status === 'ACTIVE' || now.status === 'ERROR' ? now : undefined
  })
  if (settled.status === 'ERROR') {
    tally.error++
    if (!settled.fault?.message) trouble.push(`${name} is in ERROR without a reason`)
  } else tally.active++
  const remove = async (service: 'network' | 'compute', path: string) => {
    await insist(`delete ${path}`, () => gone(() => api.delete(service, path)))
    await until(`${path} is gone`, 120, () => insist('look', () => gone(() => api.get(service, path))))
  }
  await remove('network', `/floatingips/${floating.id}`)
  await remove('compute', `/servers/${server.id}`)
  await remove('network', `/ports/${port.id}`)
  await remove('network', `/routers/${router.id}`)
  tally.deleted++
}

/** A guest that lives through it all. */
const bystander = await insist('bystander', async () => {
  const body = { server: { name: 'bystander', imageRef: image, flavorRef: flavor, networks: [{ uuid: privateNet }] } }
  return (await api.post<{ server: Server }>('compute', '/servers', body)).server
})
await until(
  'the bystander runs',
  120,
  async () => (await api.get<{ server: Server }>('compute', `/servers/${bystander.id}`)).server.status === 'ACTIVE',
)
const pidOfBystander = async () => (await exec.run(['pgrep', '-f', `qemu-system.*${bystander.id}`])).trim().split('\n')[0]
const bystanderPid = await pidOfBystander()

let finished = false
async function killer(): Promise<void> {
  while (!finished) {
    await sleep(2000 + Math.random() * 12_000)
    const which = Math.random() < 0.5 ? 'controller' : 'agent'
    if (await cloud.kill(which)) tally.kills++
  }
}

let next = 0
async function client(): Promise<void> {
  while (next < cycles) {
    const mine = next++
    await life(mine).catch((error: Error) => trouble.push(`cycle ${mine}: ${error.message}`))
  }
}

let failure: unknown
try {
  const renewing = setInterval(() => void refresh(), 600_000)
  const killing = killer()
  await prove(`${cycles} cycles by ${clients} clients, kill -9 at random moments`, async () => {
    await Promise.all(Array.from({ length: clients }, client))
    finished = true
    await killing
    clearInterval(renewing)
    assert.deepEqual(trouble, [])
  })
  console.log(
    `    ${tally.kills} kills; ${tally.active} servers became ACTIVE, ${tally.error} ERROR with a reason, ${tally.deleted} lives ended`,
  )
  await prove('the bystander is the same process', async () => assert.equal(await pidOfBystander(), bystanderPid))
  await prove('its end leaves nothing: doctor agrees', async () => {
    await insist('delete', () => gone(() => api.delete('compute', `/servers/${bystander.id}`)))
    await until('doctor', 90, async () => /agree/.test(await cloud.tool('altostack', 'doctor')))
  })
  await prove('quotas are exact', async () => {
    const { limits } = await api.get<{ limits: { absolute: Record<string, number> } }>('compute', '/limits')
    const { servers } = await api.get<{ servers: Server[] }>('compute', '/servers')
    assert.equal(limits.absolute['totalInstancesUsed'], servers.length)
  })
} catch (error) {
  finished = true
  failure = error
  console.error(error)
}
if (!failure) await cloud.leave()
process.exit(failure ? 1 : 0)
