import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../../../main/doctor.ts'
import { serverWorld } from './world.ts'

test('a server is explained in sentences, also once it is gone', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const { compute } = world.cloud.contracts
  const said = (await compute.explain({ id })).join('\n')
  assert.match(said, /is ACTIVE\./)
  assert.match(said, /on host host-1, which is up/)
  assert.match(said, /saw it on at generation 1/)
  await world.member.compute.delete(`/servers/${id}`)
  await world.settle()
  assert.match((await compute.explain({ id })).join('\n'), /It was deleted at 2026-/)
  assert.deepEqual(await compute.explain({ id: 'none' }), [])
  const moves = (await world.cloud.work.history(id)).map((row) => row.to_state)
  assert.deepEqual(moves.slice(0, 3), ['plug', 'boot', 'active'])
  assert.deepEqual(moves.slice(-3), ['unplug', 'release', ''])
})

test('of a server on its way it is told where it goes and what both hosts say', async (t) => {
  const world = await serverWorld(t, { hosts: ['host-1'] })
  const { id } = await world.server()
  await world.settle()
  await world.addHost('host-2')
  world.hosts[0]!.hypervisor.faults.moveStalls = true
  await world.act(id, { 'os-migrateLive': { host: null, block_migration: 'auto' } }, world.admin)
  await world.settle()
  const said = async () => (await world.cloud.contracts.compute.explain({ id })).join('\n')
  assert.match(await said(), /migration 1 \(live-migration, running\) from host-1 to host-2/)
  assert.match(await said(), /Host host-1 says of it: it sends the guest/)
  assert.match(await said(), /Host host-2 says of it: it waits for the guest/)
  assert.match(await said(), /0 of 512 MiB memory, 0 of 1024 MiB disk/)
  const audits = []
  for (const service of Object.values(world.cloud.services)) if (service.audit) audits.push(await service.audit())
  const inventories = []
  for (const host of world.hosts)
    inventories.push({ host: host.name, inventory: (await host.ask({ ask: 'inventory', what: 'everything-of-ours' })) as never })
  assert.deepEqual(compare(audits, inventories), [], 'the doctor takes it for no trouble')
  world.hosts[0]!.hypervisor.faults.moveStalls = false
  await world.settle()
  assert.doesNotMatch(await said(), /migration/)
})

test('what compute says should exist is what others hold and hosts have', async (t) => {
  const world = await serverWorld(t)
  const [kept, gone] = [await world.server(), await world.server()]
  await world.settle()
  await world.member.compute.delete(`/servers/${gone.id}`)
  await world.settle()
  const audits = []
  for (const service of Object.values(world.cloud.services)) if (service.audit) audits.push(await service.audit())
  const host = world.hosts[0]!
  const inventory = (await host.ask({ ask: 'inventory', what: 'everything-of-ours' })) as never
  assert.deepEqual(compare(audits, [{ host: host.name, inventory }]), [])
  const own = await world.cloud.services.compute.audit!()
  assert.deepEqual(own.exists, { vm: [kept.id], allocation: [kept.id], 'server-port': [kept.id] })
})
