import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocate, id, provider, world } from './world.ts'

const path = `/resource_providers/${id(1)}`

test('inventories are replaced as a whole, each change under the generation it was made from', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1 })
  const put = (generation: number, inventories: object) =>
    w.at('1.39').put(`${path}/inventories`, { resource_provider_generation: generation, inventories })
  const first = await put(3, { VCPU: { total: 8, allocation_ratio: 4.5 }, MEMORY_MB: { total: 1024, reserved: 512 } })
  assert.deepEqual([first.status, first.body.resource_provider_generation], [200, 4])
  assert.deepEqual(first.body.inventories.VCPU, {
    total: 8,
    reserved: 0,
    min_unit: 1,
    max_unit: 2147483647,
    step_size: 1,
    allocation_ratio: 4.5,
  })
  const stale = await put(3, {})
  assert.deepEqual([stale.status, stale.body.errors[0].code], [409, 'placement.concurrent_update'])
  assert.deepEqual((await w.at('1.0').get(`${path}/inventories`)).body, first.body)
  for (const inventories of [
    { VCPU: { total: 0 } },
    { VCPU: { total: 1.5 } },
    { VCPU: { total: 1, reserved: 2 } },
    { CUSTOM_NOPE: { total: 1 } },
    { VCPU: { total: 1, more: 1 } },
    { VCPU: {} },
    { VCPU: { total: 2147483648 } },
  ])
    assert.equal((await put(4, inventories)).status, 400, JSON.stringify(inventories))
  assert.equal((await w.at('1.0').get(`${path}/inventories`)).body.resource_provider_generation, 4)
})

test('one inventory is added, shown, changed and deleted; one in use stays', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1 })
  const made = await w.at('1.39').post(`${path}/inventories`, { resource_class: 'VCPU', total: 4 })
  assert.deepEqual([made.status, made.headers['location']], [201, `${path}/inventories/VCPU`])
  assert.equal(made.body.resource_provider_generation, 4)
  assert.equal((await w.at('1.39').post(`${path}/inventories`, { resource_class: 'VCPU', total: 4 })).status, 409)
  const change = await w.at('1.39').put(`${path}/inventories/VCPU`, { resource_provider_generation: 4, total: 6 })
  assert.deepEqual([change.status, change.body.total], [200, 6])
  assert.equal((await w.at('1.39').get(`${path}/inventories/VCPU`)).body.total, 6)
  assert.equal((await w.at('1.39').put(`${path}/inventories/DISK_GB`, { resource_provider_generation: 5, total: 6 })).status, 400)
  assert.equal((await w.at('1.39').put(`${path}/inventories/VCPU`, { resource_provider_generation: 4, total: 6 })).status, 409)
  assert.equal((await w.at('1.39').get(`${path}/inventories/DISK_GB`)).status, 404)
  assert.equal((await allocate(w, 50, 1, { VCPU: 2 })).status, 204)
  assert.equal((await w.at('1.39').delete(`${path}/inventories/VCPU`)).body.errors[0].code, 'placement.inventory.inuse')
  assert.equal((await w.at('1.39').delete(`${path}/inventories`)).body.errors[0].code, 'placement.inventory.inuse')
  const used = await w.at('1.39').delete(`/resource_providers/${id(1)}`)
  assert.deepEqual([used.status, used.body.errors[0].code], [409, 'placement.resource_provider.inuse'])
  await w.at('1.39').delete(`/allocations/${id(50)}`)
  assert.equal((await w.at('1.39').delete(`${path}/inventories/VCPU`)).status, 204)
  assert.equal((await w.at('1.39').delete(`${path}/inventories/VCPU`)).status, 404)
  assert.equal((await w.at('1.5').delete(`${path}/inventories`)).status, 204)
  assert.equal((await w.at('1.0').get(`/resource_providers/${id(9)}/inventories`)).status, 404)
})

test('all of an inventory may be reserved from 1.26 on', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1 })
  const body = { resource_provider_generation: 3, inventories: { VCPU: { total: 4, reserved: 4 } } }
  assert.equal((await w.at('1.25').put(`${path}/inventories`, body)).status, 400)
  assert.equal((await w.at('1.26').put(`${path}/inventories`, body)).status, 200)
})

test('traits and aggregates of a provider are replaced under its generation', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1 })
  const traits = (generation: number, names: string[]) =>
    w.at('1.6').put(`${path}/traits`, { resource_provider_generation: generation, traits: names })
  assert.deepEqual((await traits(3, ['HW_CPU_X86_AVX'])).body, { traits: ['HW_CPU_X86_AVX'], resource_provider_generation: 4 })
  assert.equal((await traits(3, [])).status, 409)
  assert.equal((await traits(4, ['CUSTOM_NOPE'])).status, 400)
  assert.equal((await w.at('1.6').delete(`${path}/traits`)).status, 204)
  assert.deepEqual((await w.at('1.6').get(`${path}/traits`)).body, { traits: [], resource_provider_generation: 5 })
  assert.deepEqual((await w.at('1.1').put(`${path}/aggregates`, [id(7)])).body, { aggregates: [id(7)] })
  const known = { aggregates: [id(8)], resource_provider_generation: 5 }
  assert.deepEqual((await w.at('1.19').put(`${path}/aggregates`, known)).body, { ...known, resource_provider_generation: 6 })
  assert.equal((await w.at('1.19').put(`${path}/aggregates`, known)).status, 409)
  assert.equal((await w.at('1.19').put(`${path}/aggregates`, [id(7)])).status, 400)
  assert.deepEqual((await w.at('1.1').get(`${path}/aggregates`)).body, { aggregates: [id(8)] })
  assert.equal((await w.at('1.0').get(`${path}/aggregates`)).status, 404)
})

test('custom classes and traits come and go; standard ones stay', async (t) => {
  const w = await world(t)
  assert.equal((await w.at('1.2').post('/resource_classes', { name: 'CUSTOM_X' })).status, 201)
  assert.equal((await w.at('1.2').post('/resource_classes', { name: 'CUSTOM_X' })).status, 409)
  assert.equal((await w.at('1.2').post('/resource_classes', { name: 'X' })).status, 400)
  assert.deepEqual((await w.at('1.6').put('/resource_classes/CUSTOM_X', { name: 'CUSTOM_Y' })).body, {
    name: 'CUSTOM_Y',
    links: [{ rel: 'self', href: '/resource_classes/CUSTOM_Y' }],
  })
  assert.equal((await w.at('1.7').put('/resource_classes/CUSTOM_Y')).status, 204)
  assert.equal((await w.at('1.7').put('/resource_classes/CUSTOM_Z')).status, 201)
  assert.equal((await w.at('1.7').put('/resource_classes/VCPU')).status, 400)
  await provider(w, { number: 1, stock: { CUSTOM_Z: 1 }, traits: ['CUSTOM_T'] })
  assert.equal((await w.at('1.2').delete('/resource_classes/CUSTOM_Z')).status, 409)
  assert.equal((await w.at('1.2').delete('/resource_classes/CUSTOM_Y')).status, 204)
  assert.equal((await w.at('1.2').get('/resource_classes/CUSTOM_Y')).status, 404)
  assert.equal((await w.at('1.2').delete('/resource_classes/VCPU')).status, 400)
  const classes = (await w.at('1.2').get('/resource_classes')).body.resource_classes
  assert.deepEqual([classes[0].name, classes.at(-1).name], ['VCPU', 'CUSTOM_Z'])
  assert.equal((await w.at('1.6').put('/traits/CUSTOM_U')).status, 201)
  assert.equal((await w.at('1.6').put('/traits/CUSTOM_U')).status, 204)
  assert.equal((await w.at('1.6').put('/traits/HW_CPU_X86_AVX')).status, 400)
  assert.equal((await w.at('1.6').get('/traits/CUSTOM_U')).status, 204)
  assert.equal((await w.at('1.6').get('/traits/HW_CPU_X86_AVX')).status, 204)
  assert.equal((await w.at('1.6').get('/traits/CUSTOM_V')).status, 404)
  assert.equal((await w.at('1.6').delete('/traits/CUSTOM_T')).status, 409)
  assert.equal((await w.at('1.6').delete('/traits/HW_CPU_X86_AVX')).status, 400)
  const traits = async (query: string) => (await w.at('1.6').get(`/traits?${query}`)).body.traits
  assert.deepEqual(await traits('name=startswith:CUSTOM'), ['CUSTOM_T', 'CUSTOM_U'])
  assert.deepEqual(await traits('name=in:CUSTOM_U,HW_CPU_X86_AVX,NOPE'), ['HW_CPU_X86_AVX', 'CUSTOM_U'])
  assert.deepEqual(await traits('associated=true'), ['CUSTOM_T'])
  assert.equal((await w.at('1.6').get('/traits?associated=maybe')).status, 400)
  assert.equal((await w.at('1.6').get('/traits?name=CUSTOM')).status, 400)
  assert.equal((await w.at('1.6').delete('/traits/CUSTOM_U')).status, 204)
  assert.equal((await w.at('1.5').get('/traits')).status, 404)
})
