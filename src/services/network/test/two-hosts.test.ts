import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type TestCloud, testCloud } from '../../../../test/cloud.ts'
import type { HostPort } from '../../../agents/document.ts'
import { everyCrash } from '../../../kit/work/every-crash.ts'
import { network, port, subnet } from './world.ts'

const server = 'server-1'

const portsOn = async (cloud: TestCloud, host: string): Promise<HostPort[]> =>
  ((await cloud.cloud.desk.agent('port').desired(host)).items as HostPort[]).filter((item) => item.kind === 'vm')

/** A server on host-1 of three hosts. */
async function world(t?: TestContext) {
  const cloud = await testCloud(t, { hosts: [] })
  for (const number of [1, 2, 3]) await cloud.addHost(`host-${number}`, { tunnelIp: `192.0.2.${number}` })
  const net = await network(cloud.member)
  await subnet(cloud.member, net.id, '10.0.0.0/24')
  const { network: ports } = cloud.cloud.contracts
  const bind = (host: string | undefined) => ports.bind({ owner: server, host, availabilityZone: 'nova' })
  const openAt = (host: string | undefined) => ports.openAt({ owner: server, host })
  const plug = (nic: object) =>
    ports.ensurePort({
      owner: server,
      index: 0,
      projectId: cloud.member.caller.projectId!,
      nic,
      securityGroups: [],
      hostname: server,
    })
  const seen = async () => (await ports.portsOf({ owners: [server] }))[server]![0]!
  const report = (host: string, wired: boolean, id: string) => cloud.cloud.desk.agent('port').report(host, [{ id, wired }])
  return { cloud, net, ports, bind, openAt, plug, seen, report }
}

test('a port is made on a second host, which speaks for itself, and goes there with what that host said', async (t) => {
  const { cloud, net, bind, openAt, plug, seen, report } = await world(t)
  const { id } = await plug({ network: net.id })
  await bind('host-1')
  await report('host-1', true, id)
  await openAt('host-2')
  await openAt('host-2')
  assert.deepEqual((await seen()).openAt, { host: 'host-2', wired: false })
  for (const host of ['host-1', 'host-2'])
    assert.deepEqual(
      (await portsOn(cloud, host)).map((item) => item.id),
      [id],
    )
  await report('host-2', true, id)
  assert.deepEqual([(await seen()).wired, (await seen()).openAt], [true, { host: 'host-2', wired: true }])
  await report('host-1', false, id)
  assert.deepEqual([(await seen()).wired, (await seen()).openAt], [false, { host: 'host-2', wired: true }])
  await openAt('host-2')
  assert.equal((await seen()).openAt?.wired, true, 'asked for again it is as it was')
  await bind('host-2')
  const after = await seen()
  assert.deepEqual([after.host, after.wired, after.openAt, after.status], ['host-2', true, undefined, 'ACTIVE'])
  assert.deepEqual(await portsOn(cloud, 'host-1'), [])
  await report('host-1', false, id)
  assert.equal((await seen()).wired, true, 'the host it left has no say')
})

test('taken back it stays where it was; bound elsewhere, released or unbound it is on no second host', async (t) => {
  const { cloud, net, ports, bind, openAt, plug, seen, report } = await world(t)
  const brought = await port(cloud.member, net.id)
  const { id } = await plug({ port: brought.id })
  await openAt('host-2')
  assert.equal((await seen()).openAt, undefined, 'a port on no host is on no second one')
  await bind('host-1')
  await report('host-1', true, id)
  await openAt('host-2')
  await openAt(undefined)
  assert.deepEqual([(await seen()).host, (await seen()).wired, (await seen()).openAt], ['host-1', true, undefined])
  assert.deepEqual(await portsOn(cloud, 'host-2'), [])
  await openAt('host-1')
  assert.equal((await seen()).openAt, undefined, 'it is there already')
  await openAt('host-2')
  await openAt('host-3')
  assert.deepEqual(await portsOn(cloud, 'host-2'), [])
  await bind(undefined)
  assert.equal((await seen()).openAt, undefined)
  await bind('host-1')
  await openAt('host-2')
  await ports.release({ owner: server })
  for (const host of ['host-1', 'host-2']) assert.deepEqual(await portsOn(cloud, host), [])
})

test('doctor wants the port on both hosts, and what stands against it on the second is told', async (t) => {
  const { cloud, net, ports, bind, openAt, plug } = await world(t)
  const { id } = await plug({ network: net.id })
  await bind('host-1')
  await openAt('host-2')
  await cloud.settle()
  assert.equal((await ports.portsOf({ owners: [server] }))[server]![0]!.openAt?.wired, true)
  const audit = await cloud.cloud.services.network.audit!()
  assert.deepEqual([audit.problems, audit.exists.port?.filter((one) => one === id)], [[], [id, id]])
  await cloud.cloud.desk.agent('port').report('host-2', [{ id, wired: false, error: 'No bridge.' }])
  const said = (await ports.explain({ kind: 'port', id })).join('\n')
  assert.match(said, /host-2 too.*not yet flow/)
  assert.match(said, /That host says: No bridge\./)
  const { problems } = await cloud.cloud.services.network.audit!()
  assert.match(problems.join(), new RegExp(`port ${id} on host host-2: No bridge`))
})

test('killed anywhere on the way to another host and gone through again, the port is there, on it alone', async () => {
  const effects = await everyCrash({
    async world() {
      const made = await world()
      await made.plug({ network: made.net.id })
      const go = async () => {
        // What a migration does; begun again after a crash it begins at the beginning, also after the bind.
        if ((await made.seen()).host !== 'host-2') {
          await made.bind('host-1')
          await made.openAt('host-2')
        }
        await made.bind('host-2')
      }
      return { ...made, settle: go, restart: go, close: () => made.cloud.close() }
    },
    async check({ cloud, seen }) {
      assert.deepEqual([(await seen()).host, (await seen()).openAt], ['host-2', undefined])
      assert.deepEqual([await portsOn(cloud, 'host-1'), (await portsOn(cloud, 'host-2')).length], [[], 1])
    },
  })
  assert.ok(effects >= 3, `only ${effects} effects`)
})
