import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocate, id, placed, provider, world } from './world.ts'

const owner = { project_id: 'project', user_id: 'user' }
const on = (number: number, resources: object) => ({ [id(number)]: { resources } })

test('what a consumer holds is said in the words of each version', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8 } })
  const listed = { allocations: [{ resource_provider: { uuid: id(1) }, resources: { VCPU: 1 } }] }
  assert.equal((await w.at('1.0').put(`/allocations/${id(50)}`, listed)).status, 204)
  assert.equal((await w.at('1.8').put(`/allocations/${id(50)}`, listed)).status, 400)
  assert.equal((await w.at('1.8').put(`/allocations/${id(50)}`, { ...listed, ...owner })).status, 204)
  assert.equal((await w.at('1.12').put(`/allocations/${id(50)}`, { ...listed, ...owner })).status, 400)
  assert.equal((await w.at('1.12').put(`/allocations/${id(50)}`, { allocations: on(1, { VCPU: 2 }), ...owner })).status, 204)
  const shown = await w.at('1.39').get(`/allocations/${id(50)}`)
  assert.deepEqual(shown.body, {
    allocations: { [id(1)]: { resources: { VCPU: 2 }, generation: 6 } },
    ...owner,
    consumer_generation: 3,
    consumer_type: 'unknown',
  })
  assert.deepEqual(Object.keys((await w.at('1.11').get(`/allocations/${id(50)}`)).body), ['allocations'])
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(1)}/allocations`)).body, {
    allocations: { [id(50)]: { resources: { VCPU: 2 }, consumer_generation: 3 } },
    resource_provider_generation: 6,
  })
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(1)}/usages`)).body, {
    resource_provider_generation: 6,
    usages: { VCPU: 2 },
  })
  assert.equal((await w.at('1.0').delete(`/allocations/${id(50)}`)).status, 204)
  assert.equal((await w.at('1.0').delete(`/allocations/${id(50)}`)).status, 404)
  assert.deepEqual((await w.at('1.39').get(`/allocations/${id(50)}`)).body, { allocations: {} })
})

test('a consumer is changed only from the generation the asker knows', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8 } })
  const put = (generation: number | null, resources: object) =>
    w.at('1.28').put(`/allocations/${id(50)}`, { allocations: on(1, resources), ...owner, consumer_generation: generation })
  for (const wrong of [0, 1]) assert.equal((await put(wrong, { VCPU: 1 })).status, 409)
  assert.equal((await put(null, { VCPU: 1 })).status, 204)
  const stale = await put(null, { VCPU: 2 })
  assert.deepEqual([stale.status, stale.body.errors[0].code], [409, 'placement.concurrent_update'])
  assert.equal((await put(1, { VCPU: 2 })).status, 204)
  assert.equal((await put(1, { VCPU: 3 })).status, 409)
  const empty = { allocations: {}, ...owner, consumer_generation: 2 }
  assert.equal((await w.at('1.28').put(`/allocations/${id(50)}`, empty)).status, 204)
  assert.equal((await put(null, { VCPU: 1 })).status, 204)
})

test('what does not fit, is unknown or malformed changes nothing', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8 } })
  const step = { resource_provider_generation: 3, inventories: { VCPU: { total: 8, min_unit: 2, max_unit: 6, step_size: 2 } } }
  await w.at('1.39').put(`/resource_providers/${id(1)}/inventories`, step)
  for (const [resources, status] of [
    [{ VCPU: 1 }, 409],
    [{ VCPU: 3 }, 409],
    [{ VCPU: 8 }, 409],
    [{ DISK_GB: 1 }, 409],
    [{ CUSTOM_NOPE: 1 }, 400],
    [{ VCPU: 0 }, 400],
    [{}, 400],
  ] as const)
    assert.equal((await allocate(w, 50, 1, resources)).status, status, JSON.stringify(resources))
  assert.equal((await allocate(w, 50, 9, { VCPU: 2 })).status, 400)
  assert.equal((await w.at('1.12').put('/allocations/nonsense', { allocations: on(1, { VCPU: 2 }), ...owner })).status, 400)
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(1)}/usages`)).body.usages, { VCPU: 0 })
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(1)}`)).body.generation, 4)
})

test('several consumers are set together or not at all: how a migration hands over', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8 } })
  await provider(w, { number: 2, stock: { VCPU: 2 } })
  await allocate(w, 50, 1, { VCPU: 4 })
  const one = (number: number, cpus: number, generation: number | null) => ({
    allocations: cpus === 0 ? {} : on(number, { VCPU: cpus }),
    ...owner,
    consumer_generation: generation,
  })
  const tooMuch = { [id(50)]: one(2, 4, 1), [id(51)]: one(1, 4, null) }
  assert.equal((await w.at('1.28').post('/allocations', tooMuch)).status, 409)
  assert.deepEqual(Object.keys((await w.at('1.28').get(`/allocations/${id(50)}`)).body.allocations), [id(1)])
  assert.equal((await w.at('1.28').post('/allocations', { [id(50)]: one(2, 2, 1), [id(51)]: one(1, 8, null) })).status, 204)
  assert.equal((await w.at('1.28').post('/allocations', { [id(50)]: one(2, 0, 2), [id(51)]: one(2, 2, 1) })).status, 204)
  assert.deepEqual((await w.at('1.28').get(`/allocations/${id(50)}`)).body, { allocations: {} })
  assert.equal((await w.at('1.12').post('/allocations', {})).status, 404)
})

test('usages of a project are summed, from 1.38 on by type of consumer', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8, DISK_GB: 10 } })
  await allocate(w, 50, 1, { VCPU: 2, DISK_GB: 5 })
  await allocate(w, 51, 1, { VCPU: 1 })
  await w.at('1.12').put(`/allocations/${id(52)}`, { allocations: on(1, { VCPU: 1 }), ...owner, user_id: 'other' })
  const usages = async (query: string, version: string) => (await w.at(version).get(`/usages?${query}`)).body.usages
  assert.deepEqual(await usages('project_id=project', '1.9'), { DISK_GB: 5, VCPU: 4 })
  assert.deepEqual(await usages('project_id=project&user_id=other', '1.9'), { VCPU: 1 })
  assert.deepEqual(await usages('project_id=nobody', '1.9'), {})
  assert.deepEqual(await usages('project_id=project', '1.38'), {
    INSTANCE: { consumer_count: 2, VCPU: 3, DISK_GB: 5 },
    unknown: { consumer_count: 1, VCPU: 1 },
  })
  assert.deepEqual(await usages('project_id=project&consumer_type=all', '1.38'), {
    all: { consumer_count: 3, VCPU: 4, DISK_GB: 5 },
  })
  assert.deepEqual(await usages('project_id=project&consumer_type=unknown', '1.38'), { unknown: { consumer_count: 1, VCPU: 1 } })
  assert.equal((await w.at('1.9').get('/usages')).status, 400)
  assert.equal((await w.at('1.9').get('/usages?project_id=project&consumer_type=all')).status, 400)
})

test('twenty writers with the same generation: one wins, and room is never exceeded', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 5 } })
  const all = await Promise.all(Array.from({ length: 20 }, (_, at) => allocate(w, 60 + at, 1, { VCPU: 1 })))
  assert.equal(all.filter(({ status }) => status === 204).length, 5)
  assert.equal(all.filter(({ status }) => status === 409).length, 15)
  const writes = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      w.at('1.39').put(`/resource_providers/${id(1)}/traits`, {
        resource_provider_generation: 8,
        traits: at % 2 ? [] : ['HW_CPU_X86_AVX'],
      }),
    ),
  )
  assert.equal(writes.filter(({ status }) => status === 200).length, 1)
})

test('reshaping moves inventory and what is held of it at once, or nothing', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 8, DISK_GB: 10 } })
  await provider(w, { number: 2, parent: 1 })
  await allocate(w, 50, 1, { VCPU: 2, DISK_GB: 5 })
  const shape = (generation: number, cpus: number) => ({
    inventories: {
      [id(1)]: { resource_provider_generation: generation, inventories: { DISK_GB: { total: 10 } } },
      [id(2)]: { resource_provider_generation: 3, inventories: { VCPU: { total: cpus } } },
    },
    allocations: {
      [id(50)]: {
        allocations: { ...on(1, { DISK_GB: 5 }), ...on(2, { VCPU: 2 }) },
        ...owner,
        consumer_generation: 1,
        consumer_type: 'INSTANCE',
      },
    },
  })
  const service = placed(w.service, '1.39')
  assert.equal((await service.post('/reshaper', shape(3, 8))).body.errors[0].code, 'placement.concurrent_update')
  assert.equal((await service.post('/reshaper', shape(4, 1))).status, 409)
  assert.deepEqual(Object.keys((await w.at('1.39').get(`/allocations/${id(50)}`)).body.allocations), [id(1)])
  const lost = { ...shape(4, 8), allocations: {} }
  assert.equal((await service.post('/reshaper', lost)).body.errors[0].code, 'placement.inventory.inuse')
  assert.equal((await service.post('/reshaper', shape(4, 8))).status, 204)
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(2)}/usages`)).body.usages, { VCPU: 2 })
  assert.deepEqual((await w.at('1.39').get(`/resource_providers/${id(1)}/usages`)).body.usages, { DISK_GB: 5 })
})
