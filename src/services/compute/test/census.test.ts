import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverWorld } from './world.ts'

test('an operator is told of every host, guest and flavor', async (t) => {
  const world = await serverWorld(t)
  const { id } = await world.server()
  await world.settle()
  const { hosts, guests, flavors } = await world.cloud.contracts.compute.census()
  assert.deepEqual(
    hosts.map(({ name, zone }) => [name, zone]),
    world.hosts.map(({ name }) => [name, 'nova']),
  )
  assert.deepEqual(
    guests.map((guest) => [guest.id, guest.host, guest.flavor, guest.memoryMb, guest.state]),
    [[id, 'host-1', 'small', 512, 'active']],
  )
  assert.deepEqual(
    flavors.map(({ name }) => name),
    ['small'],
  )
})

test('an operator takes a host out of service and back; nothing else can be', async (t) => {
  const { cloud } = await serverWorld(t)
  const { compute } = cloud.contracts
  const states = async () => (await compute.services()).map(({ binary, enabled }) => [binary, enabled])
  assert.equal(await compute.enableService({ host: 'host-1', binary: 'nova-compute', enabled: false }), true)
  assert.deepEqual((await states()).at(-1), ['nova-compute', false])
  assert.equal(await compute.enableService({ host: 'host-1', binary: 'nova-compute', enabled: true }), true)
  assert.deepEqual((await states()).at(-1), ['nova-compute', true])
  assert.equal(await compute.enableService({ host: 'nowhere', binary: 'nova-compute', enabled: true }), false)
  assert.equal(await compute.enableService({ host: 'controller', binary: 'nova-scheduler', enabled: false }), false)
})
