import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openLog } from '../kit/log.ts'
import { openNeutronFiles } from './neutron-files.ts'

async function world(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-neutron-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const name of ['openvswitch', 'ml2']) await mkdir(join(folder, name))
  const logged: string[] = []
  const log = openLog({ write: (line) => void logged.push(line) })
  const open = (isAgent = true) =>
    openNeutronFiles({ folder, stateFile: join(folder, 'good.json'), isAgent, log, hasAddress: (ip) => ip === '10.0.0.1' })
  return { logged, open, write: (name: string, text: string) => writeFile(join(folder, name), text), folder }
}

test('without files nothing is said; one that comes is gone by, one that goes is not any more', async (t) => {
  const { open, write, folder } = await world(t)
  const files = await open()
  assert.deepEqual(files.overlay(), { server: {}, agent: {} })
  await write('ml2/openvswitch_agent.ini', '[ovs]\nlocal_ip = 10.0.0.1')
  assert.equal(await files.reload(), true)
  assert.equal(await files.reload(), false)
  assert.deepEqual(files.overlay().agent, { tunnelIp: '10.0.0.1' })
  await rm(join(folder, 'ml2/openvswitch_agent.ini'))
  assert.equal(await files.reload(), true)
  assert.deepEqual(files.overlay().agent, {})
})

test('a broken file changes nothing, not even for who starts after it broke, and is named once', async (t) => {
  const { open, write, logged } = await world(t)
  const name = 'openvswitch/ovs_neutron_plugin.ini'
  await write(name, '[ovs]\ntenant_network_type = vlan')
  const files = await open()
  await write(name, '[ovs]\ntenant_network_type = vlan\nbridge_mappings = nonsense')
  assert.equal(await files.reload(), false)
  await files.reload()
  assert.deepEqual(files.overlay().server, { tenantTypes: ['vlan'] })
  assert.equal(files.problems().length, 2)
  assert.match(files.problems()[0] ?? '', /ovs_neutron_plugin\.ini:3: bridge_mappings: "nonsense" is no mapping/)
  assert.equal(logged.filter((line) => line.includes('nonsense')).length, 1)
  assert.deepEqual((await open()).overlay().server, { tenantTypes: ['vlan'] })
})

test('local_ip is this host’s, and none of the controller’s business', async (t) => {
  const { open, write } = await world(t)
  await write('openvswitch/ovs_neutron_plugin.ini', '[ovs]\nlocal_ip = 10.0.0.2')
  assert.match((await open(true)).problems()[0] ?? '', /10\.0\.0\.2 is no address of this host/)
  assert.deepEqual((await open(false)).problems(), [])
})
