import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import { isProblem } from '../../../kit/errors.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { addressPattern } from '../domain/server-ports.ts'
import { external, faultOf, inside, network, port, subnet } from './world.ts'

const kindOf = (run: Promise<unknown>) =>
  run.then(
    () => 'fine',
    (error) => (isProblem(error) ? error.kind : String(error)),
  )

test('what a server may have is said before anything is made', async (t) => {
  const { cloud, net, sub } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  const ask = (nics: object[], more: object = {}) =>
    ports.check({ projectId, isAdmin: false, nics, auto: false, servers: 1, ...more })
  assert.deepEqual(await ask([], { auto: true }), [{ network: net.id }])
  assert.deepEqual(await ask([{ network: net.id, fixedIp: '10.0.0.9', tag: 't' }]), [
    { network: net.id, fixedIp: '10.0.0.9', tag: 't' },
  ])
  assert.equal(await kindOf(ask([{ network: sub.id }])), 'invalid')
  assert.equal(await kindOf(ask([{ network: net.id, fixedIp: '10.1.0.9' }])), 'invalid')
  assert.equal(await kindOf(ask([{ network: net.id, fixedIp: '10.0.0.2' }])), 'invalid')
  assert.equal(await kindOf(ask([{ network: net.id }], { servers: 1000 })), 'over-quota')
  const own = await port(cloud.member, net.id)
  assert.deepEqual(await ask([{ port: own.id }]), [{ port: own.id, network: net.id }])
  assert.equal(await kindOf(ask([{ port: own.id }], { servers: 2 })), 'invalid')
  const used = await port(cloud.member, net.id, { device_id: 'somebody' })
  assert.equal(await kindOf(ask([{ port: used.id }])), 'conflict')
  const theirs = await network(cloud.stranger)
  await subnet(cloud.stranger, theirs.id, '10.6.0.0/24')
  assert.equal(await kindOf(ask([{ network: theirs.id }])), 'invalid')
  assert.equal(await kindOf(ask([{ port: (await port(cloud.stranger, theirs.id)).id }])), 'invalid')
  const outside = await external(cloud)
  assert.equal(await kindOf(ask([{ network: outside.id }])), 'forbidden')
  assert.equal(await kindOf(ask([{ network: outside.id }], { isAdmin: true })), 'fine')
  const bare = await network(cloud.member)
  assert.equal(await kindOf(ask([{ network: bare.id }])), 'invalid')
  assert.equal(await kindOf(ask([], { auto: true })), 'conflict')
})

test('a port is the owner’s by its place, however often it is asked for; a brought one is only let go', async (t) => {
  const { cloud, net } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  const [group] = await ports.securityGroups({ projectId, names: ['default'] })
  const brought = await port(cloud.member, net.id)
  const ask = (index: number, nic: object) =>
    ports.ensurePort({ owner: 's1', index, projectId, nic, securityGroups: [group!.id], hostname: 's1' })
  const [first, second] = [await ask(0, { network: net.id }), await ask(1, { port: brought.id, tag: 't' })]
  assert.equal((await ask(0, { network: net.id })).id, first.id)
  assert.deepEqual([first.made, second.made, second.id, second.tag], [true, false, brought.id, 't'])
  const other = { owner: 's2', index: 0, projectId, nic: { port: brought.id }, securityGroups: [], hostname: 's2' }
  assert.equal(await kindOf(ports.ensurePort(other)), 'conflict')
  await ports.bind({ owner: 's1', host: 'host-1', availabilityZone: 'nova' })
  await ports.bind({ owner: 's1', host: 'host-1', availabilityZone: 'nova' })
  assert.deepEqual(
    (await ports.portsOf({ owners: ['s1', 'none'] }))['s1']?.map((one) => one.host),
    ['host-1', 'host-1'],
  )
  await ports.release({ owner: 's1' })
  await ports.release({ owner: 's1' })
  assert.deepEqual((await ports.portsOf({ owners: ['s1'] }))['s1'], [])
  assert.equal((await cloud.member.network.get(`/ports/${first.id}`)).status, 404)
  const kept = (await cloud.member.network.get(`/ports/${brought.id}`)).body.port
  assert.deepEqual([kept.device_id, kept.device_owner, kept.status], ['', '', 'DOWN'])
})

test('groups are found by name or id, and added to and removed from all ports of a server', async (t) => {
  const { cloud, net } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  const make = async (name: string) =>
    (await cloud.member.network.post('/security-groups', { security_group: { name } })).body.security_group.id
  const [web] = [await make('web'), await make('twice'), await make('twice')]
  const names = (...all: string[]) => ports.securityGroups({ projectId, names: all })
  assert.deepEqual(await names('web'), [{ id: web, name: 'web' }])
  assert.deepEqual(await names(web), [{ id: web, name: 'web' }])
  assert.equal(await kindOf(names('twice')), 'invalid')
  assert.equal(await kindOf(names('none')), 'invalid')
  await ports.ensurePort({ owner: 's1', index: 0, projectId, nic: { network: net.id }, securityGroups: [], hostname: 's1' })
  const held = async () => (await ports.portsOf({ owners: ['s1'] }))['s1']![0]!.securityGroups.map((group) => group.name)
  const change = (group: string, add: boolean) => ports.changeSecurityGroup({ owner: 's1', projectId, group, add })
  assert.deepEqual(await held(), ['default'])
  await change('web', true)
  await change('web', true)
  assert.deepEqual(await held(), ['default', 'web'])
  await change('default', false)
  assert.deepEqual(await held(), ['web'])
  assert.equal(await kindOf(change('default', false)), 'not-found')
  assert.equal(await kindOf(change('none', true)), 'not-found')
})

test('servers are found by address; an expression that could run for ever is refused', async (t) => {
  const { cloud, net } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  await ports.ensurePort({
    owner: 's1',
    index: 0,
    projectId,
    nic: { network: net.id, fixedIp: '10.0.0.77' },
    securityGroups: [],
    hostname: '',
  })
  const find = (pattern: string) => ports.ownersByAddress({ pattern, version: 4 })
  assert.deepEqual(await find('10.0.0.77'), ['s1'])
  assert.deepEqual(await find('^10\\.0\\.0\\.7'), ['s1'])
  assert.deepEqual(await find('10.0.0.78'), [])
  for (const bad of ['(1+)+$', '.*.*.*.*.*x', '[', 'a'.repeat(200), 'é'])
    assert.throws(() => addressPattern(bad), /is no expression/)
})

test('a port explains itself, and doctor learns what should be', async (t) => {
  const { cloud, net } = await inside(t)
  const { network: ports } = cloud.cloud.contracts
  const projectId = cloud.member.caller.projectId!
  const one = await ports.ensurePort({
    owner: 's1',
    index: 0,
    projectId,
    nic: { network: net.id },
    securityGroups: [],
    hostname: '',
  })
  await ports.bind({ owner: 's1', host: 'host-1', availabilityZone: 'nova' })
  const said = (await ports.explain({ kind: 'port', id: one.id })).join('\n')
  assert.match(said, /is DOWN/)
  assert.match(said, /bound to host host-1, which is alive/)
  assert.match(said, /has not seen this card ask/)
  assert.match((await ports.explain({ kind: 'network', id: net.id })).join('\n'), /vxlan 1, MTU 1450/)
  assert.deepEqual(await ports.explain({ kind: 'port', id: 'none' }), [])
  const audit = await cloud.cloud.services.network.audit!()
  assert.deepEqual(audit.problems, [])
  assert.deepEqual(audit.holds['server-port'], ['s1'])
  assert.equal(audit.exists.port?.length, 2)
})

test('killed anywhere in a server’s way through the contract, a repetition leaves one port and one address, and release none', async () => {
  const effects = await everyCrash({
    async world() {
      const cloud = await testCloud(undefined)
      const net = await network(cloud.member)
      await subnet(cloud.member, net.id, '10.0.0.0/24')
      const { network: ports } = cloud.cloud.contracts
      const projectId = cloud.member.caller.projectId!
      const life = async () => {
        const ask = { owner: 's1', index: 0, projectId, nic: { network: net.id }, securityGroups: [], hostname: 's1' }
        await ports.ensurePort(ask)
        await ports.bind({ owner: 's1', host: 'host-1', availabilityZone: 'nova' })
        assert.equal((await cloud.member.network.get(`/ports?device_id=s1`)).body.ports.length, 1)
        await ports.release({ owner: 's1' })
      }
      return { cloud, settle: life, restart: life, close: () => cloud.close() }
    },
    async check({ cloud }) {
      assert.deepEqual((await cloud.member.network.get('/ports?device_id=s1')).body.ports, [])
      const [address] = (await cloud.member.network.get('/ports')).body.ports
      assert.equal(address.device_owner, 'network:dhcp')
    },
  })
  assert.ok(effects >= 6, `only ${effects} effects`)
  void faultOf
})
