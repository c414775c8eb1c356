import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'
import type { Inventory } from '../contract.ts'

const stock = (total: number, ratio = 1): Inventory => ({
  total,
  reserved: 0,
  allocationRatio: ratio,
  minUnit: 1,
  maxUnit: total,
  stepSize: 1,
})
const host = (name: string, cpus = 4) => ({
  id: `00000000-0000-4000-8000-${name.padStart(12, '0')}`,
  name,
  inventories: { VCPU: stock(cpus), MEMORY_MB: stock(4096) },
  traits: ['HW_CPU_X86_AVX', 'CUSTOM_FAST'],
})
const open = async (t: TestContext) => {
  const { cloud, admin } = await testCloud(t, { hosts: [] })
  return { placement: cloud.contracts.placement, admin }
}
const owner = { projectId: 'p', userId: 'u' }

test('a provider is made once, changed when it should be another, and removed when nothing is on it', async (t) => {
  const { placement } = await open(t)
  const one = host('1')
  await placement.ensureProvider(one)
  await placement.ensureProvider(one)
  await placement.ensureProvider({ ...one, name: 'renamed', inventories: { VCPU: stock(8) } })
  assert.deepEqual(await placement.usages(), [
    { provider: one.id, name: 'renamed', inventories: { VCPU: stock(8) }, used: { VCPU: 0 } },
  ])
  assert.equal(await placement.claim({ consumer: 'c', provider: one.id, resources: { VCPU: 2 }, ...owner }), true)
  await assert.rejects(placement.removeProvider({ id: one.id }), /allocations/)
  await assert.rejects(placement.ensureProvider({ ...one, inventories: {} }), /in use/)
  await placement.release({ consumer: 'c' })
  await placement.removeProvider({ id: one.id })
  await placement.removeProvider({ id: one.id })
  assert.deepEqual(await placement.usages(), [])
})

test('candidates have room and the traits asked for; every other provider says why not', async (t) => {
  const { placement } = await open(t)
  await placement.ensureProvider(host('1'))
  await placement.ensureProvider({ ...host('2'), traits: [] })
  await placement.ensureProvider(host('3', 1))
  const needs = { resources: { VCPU: 2, MEMORY_MB: 512 }, requiredTraits: ['CUSTOM_FAST'], forbiddenTraits: [] }
  const { fitting, refused } = await placement.candidates(needs)
  assert.deepEqual(
    fitting.map(({ name, free, traits }) => ({ name, free, traits })),
    [{ name: '1', free: { VCPU: 4, MEMORY_MB: 4096 }, traits: ['CUSTOM_FAST', 'HW_CPU_X86_AVX'] }],
  )
  assert.deepEqual(
    refused.map(({ name, reason }) => [name, reason]),
    [
      ['2', 'It lacks CUSTOM_FAST.'],
      ['3', '2 VCPU is more than the 1 it gives to one.'],
    ],
  )
  const without = await placement.candidates({ ...needs, requiredTraits: [], forbiddenTraits: ['HW_CPU_X86_AVX'] })
  assert.deepEqual(
    without.fitting.map(({ name }) => name),
    ['2'],
  )
})

test('a claim is held once however often it is made, moves with its consumer, and never exceeds what is there', async (t) => {
  const { placement } = await open(t)
  const [one, two] = [host('1'), host('2')]
  await placement.ensureProvider(one)
  await placement.ensureProvider(two)
  const claim = (consumer: string, provider: string, cpus: number) =>
    placement.claim({ consumer, provider, resources: { VCPU: cpus }, ...owner })
  assert.equal(await claim('a', one.id, 3), true)
  assert.equal(await claim('a', one.id, 3), true)
  assert.equal(await claim('b', one.id, 2), false)
  assert.equal(await claim('a', one.id, 4), true)
  assert.equal(await claim('a', two.id, 1), true)
  assert.deepEqual(await placement.allocationsOf({ consumer: 'a' }), [{ provider: two.id, resources: { VCPU: 1 } }])
  assert.equal(await claim('b', one.id, 4), true)
  assert.equal(await claim('c', '00000000-0000-4000-8000-00000000dead', 1), false)
  await placement.release({ consumer: 'b' })
  await placement.release({ consumer: 'b' })
  assert.deepEqual(await placement.allocationsOf({ consumer: 'b' }), [])
})

test('forty claims at once on room for ten: ten are held', async (t) => {
  const { placement } = await open(t)
  const one = host('1', 10)
  await placement.ensureProvider(one)
  const claims = Array.from({ length: 40 }, (_, at) =>
    placement.claim({ consumer: `c${at}`, provider: one.id, resources: { VCPU: 1, MEMORY_MB: 1 }, ...owner }),
  )
  const won = (await Promise.all(claims)).filter(Boolean)
  assert.equal(won.length, 10)
  const [usage] = await placement.usages()
  assert.deepEqual(usage?.used, { VCPU: 10, MEMORY_MB: 10 })
})

test('who goes to another provider holds both until it is there, whatever is asked twice, or goes back to what it had', async (t) => {
  const { placement } = await open(t)
  const [one, two, full] = [host('1'), host('2'), host('3', 1)]
  for (const each of [one, two, full]) await placement.ensureProvider(each)
  const resources = { VCPU: 2 }
  const of = async (consumer: string) =>
    (await placement.allocationsOf({ consumer })).map((held) => [held.provider, held.resources])
  assert.equal(await placement.claim({ consumer: 'vm', provider: one.id, resources, ...owner }), true)
  const go = (provider: string, want = resources) =>
    placement.claimAside({ consumer: 'vm', aside: 'move', provider, resources: want, ...owner })
  assert.equal(await go(full.id), false)
  assert.deepEqual([await of('vm'), await of('move')], [[[one.id, resources]], []])
  for (const _ of [1, 2]) assert.equal(await go(two.id, { VCPU: 3 }), true)
  assert.deepEqual([await of('vm'), await of('move')], [[[two.id, { VCPU: 3 }]], [[one.id, resources]]])
  for (const _ of [1, 2]) await placement.takeBack({ consumer: 'vm', aside: 'move', ...owner })
  assert.deepEqual([await of('vm'), await of('move')], [[[one.id, resources]], []])
  assert.equal(await go(one.id), true, 'on the same provider there is room for both')
  assert.deepEqual((await placement.usages())[0]?.used['VCPU'], 4)
})
