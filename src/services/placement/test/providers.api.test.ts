import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocate, id, placed, provider, world } from './world.ts'

test('the root tells versions without a token, and a version out of range is 406 with the range', async (t) => {
  const { withToken, at } = await world(t)
  const { status, body } = await withToken(undefined).placement.get('//')
  assert.equal(status, 200)
  assert.deepEqual(body.versions[0], {
    id: 'v1.0',
    max_version: '1.39',
    min_version: '1.0',
    status: 'CURRENT',
    links: [{ rel: 'self', href: '' }],
  })
  const refused = await at('1.40').get('/resource_providers')
  assert.equal(refused.status, 406)
  assert.equal(refused.body.errors[0].max_version, '1.39')
  const answer = await at('1.17').get('/resource_providers')
  assert.equal(answer.headers['openstack-api-version'], 'placement 1.17')
  assert.match(answer.headers['vary'] ?? '', /openstack-api-version/i)
})

test('a provider is made, shown in the words of the version, renamed and deleted', async (t) => {
  const { at } = await world(t)
  const old = await at('1.19').post('/resource_providers', { name: 'a', uuid: id(1).replaceAll('-', '') })
  assert.deepEqual([old.status, old.body, old.headers['location']], [201, '', `/resource_providers/${id(1)}`])
  const made = await at('1.20').post('/resource_providers', { name: 'b', uuid: id(2), parent_provider_uuid: id(1) })
  assert.equal(made.status, 200)
  assert.deepEqual(made.body, {
    uuid: id(2),
    name: 'b',
    generation: 0,
    links: ['', '/inventories', '/usages', '/aggregates', '/traits', '/allocations'].map((rel) => ({
      rel: rel.slice(1) || 'self',
      href: `/resource_providers/${id(2)}${rel}`,
    })),
    parent_provider_uuid: id(1),
    root_provider_uuid: id(1),
  })
  assert.match(made.headers['last-modified'] ?? '', /GMT$/)
  const first = await at('1.0').get(`/resource_providers/${id(2)}`)
  assert.deepEqual(Object.keys(first.body), ['uuid', 'name', 'generation', 'links'])
  assert.equal(first.body.links.length, 3)
  assert.equal(first.headers['last-modified'], undefined)
  assert.equal((await at('1.0').put(`/resource_providers/${id(2)}`, { name: 'c' })).body.name, 'c')
  const parent = await at('1.23').delete(`/resource_providers/${id(1)}`)
  assert.deepEqual([parent.status, parent.body.errors[0].code], [409, 'placement.resource_provider.cannot_delete_parent'])
  assert.equal((await at('1.0').delete(`/resource_providers/${id(2)}`)).status, 204)
  assert.equal((await at('1.0').delete(`/resource_providers/${id(2)}`)).status, 404)
  assert.equal((await at('1.0').get(`/resource_providers/${id(2)}`)).status, 404)
})

test('bad bodies, other parents and names taken are refused, with a code from 1.23 on', async (t) => {
  const { at } = await world(t)
  await at('1.39').post('/resource_providers', { name: 'a', uuid: id(1) })
  for (const body of [{}, { name: 1 }, { name: 'x', uuid: 'no' }, { name: 'x', more: 1 }, { name: 'x'.repeat(201) }, []])
    assert.equal((await at('1.39').post('/resource_providers', body)).status, 400, JSON.stringify(body))
  assert.equal((await at('1.13').post('/resource_providers', { name: 'x', parent_provider_uuid: id(1) })).status, 400)
  assert.equal((await at('1.39').post('/resource_providers', { name: 'x', parent_provider_uuid: id(9) })).status, 400)
  assert.equal(
    (await at('1.39').post('/resource_providers', { name: 'x', uuid: id(8), parent_provider_uuid: id(8) })).status,
    400,
  )
  const taken = await at('1.23').post('/resource_providers', { name: 'a' })
  assert.equal(taken.status, 409)
  assert.equal(taken.body.errors[0].code, 'placement.duplicate_name')
  assert.equal(taken.body.errors[0].title, 'Conflict')
  assert.match(taken.body.errors[0].request_id, /^req-/)
  assert.equal('code' in (await at('1.22').post('/resource_providers', { name: 'a' })).body.errors[0], false)
  assert.equal(
    (await at('1.23').post('/resource_providers', { name: 'z', uuid: id(1) })).body.errors[0].code,
    'placement.duplicate_name',
  )
})

test('a provider gets a parent once; from 1.37 on it moves with all below it, never into a loop', async (t) => {
  const w = await world(t)
  for (const number of [1, 2, 3, 4]) await provider(w, { number })
  const parent = (number: number, to: number | null, version: string) =>
    w.at(version).put(`/resource_providers/${id(number)}`, { name: `p${number}`, parent_provider_uuid: to && id(to) })
  assert.equal((await parent(2, 1, '1.14')).body.root_provider_uuid, id(1))
  assert.equal((await parent(3, 2, '1.14')).body.root_provider_uuid, id(1))
  assert.equal((await parent(2, 4, '1.36')).status, 400)
  assert.equal((await parent(2, null, '1.36')).status, 400)
  assert.equal((await parent(1, 3, '1.39')).status, 400)
  assert.equal((await parent(2, 4, '1.37')).body.root_provider_uuid, id(4))
  assert.equal((await w.at('1.39').get(`/resource_providers/${id(3)}`)).body.root_provider_uuid, id(4))
  assert.equal((await parent(2, null, '1.37')).body.root_provider_uuid, id(2))
  assert.equal((await w.at('1.39').get(`/resource_providers/${id(3)}`)).body.root_provider_uuid, id(2))
})

test('providers are listed by name, id, aggregates, room, tree and traits', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 4 }, traits: ['CUSTOM_A', 'CUSTOM_B'], aggregates: [101] })
  await provider(w, { number: 2, stock: { VCPU: 2 }, traits: ['CUSTOM_A'], aggregates: [101, 102] })
  await provider(w, { number: 3, parent: 1 })
  await allocate(w, 50, 2, { VCPU: 1 })
  const names = async (query: string, version = '1.39') => {
    const { status, body } = await w.at(version).get(`/resource_providers?${query}`)
    return status === 200 ? body.resource_providers.map((one: { name: string }) => one.name).join(' ') : status
  }
  assert.equal(await names(''), 'p1 p2 p3')
  assert.equal(await names('name=p2'), 'p2')
  assert.equal(await names(`uuid=${id(3)}`), 'p3')
  assert.equal(await names(`member_of=${id(101)}`), 'p1 p2')
  assert.equal(await names(`member_of=in:${id(102)},${id(103)}`), 'p2')
  assert.equal(await names(`member_of=${id(101)}&member_of=${id(102)}`), 'p2')
  assert.equal(await names(`member_of=!${id(102)}`), 'p1 p3')
  assert.equal(await names(`member_of=${id(101)}&member_of=${id(102)}`, '1.23'), 400)
  assert.equal(await names(`member_of=!${id(102)}`, '1.31'), 400)
  assert.equal(await names(`member_of=${id(1)},${id(2)}`), 400)
  assert.equal(await names('resources=VCPU:2'), 'p1')
  assert.equal(await names('resources=VCPU:1'), 'p1 p2')
  assert.equal(await names(`in_tree=${id(3)}`), 'p1 p3')
  assert.equal(await names(`in_tree=${id(9)}`), '')
  assert.equal(await names('required=CUSTOM_A'), 'p1 p2')
  assert.equal(await names('required=CUSTOM_A,!CUSTOM_B'), 'p2')
  assert.equal(await names('required=in:CUSTOM_B,HW_CPU_X86_AVX'), 'p1')
  for (const query of ['resources=', 'resources=VCPU', 'resources=VCPU:0', 'resources=VCPU:a', 'resources=NOPE:1', 'nonsense=1'])
    assert.equal(await names(query), 400, query)
  for (const query of ['required=', 'required=CUSTOM_NOPE', 'required=in:CUSTOM_A,!CUSTOM_B'])
    assert.equal(await names(query), 400, query)
  assert.equal(await names('required=!CUSTOM_A', '1.21'), 400)
  assert.equal(await names('required=CUSTOM_A', '1.17'), 400)
})

test('administrators and services may do everything, reshape services alone, and projects see only their own use', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 4 } })
  for (const client of [w.member, w.reader, w.manager, w.stranger]) {
    assert.equal((await placed(client, '1.39').get('/resource_providers')).status, 403)
    assert.equal((await placed(client, '1.39').post('/resource_providers', { name: 'x' })).status, 403)
    assert.equal((await placed(client, '1.39').get('/allocation_candidates?resources=VCPU:1')).status, 403)
    const own = await placed(client, '1.9').get(`/usages?project_id=${client.caller.projectId}`)
    assert.equal(own.status, 200)
    assert.equal((await placed(client, '1.9').get(`/usages?project_id=${w.admin.caller.projectId}`)).status, 403)
  }
  const service = placed(w.service, '1.39')
  assert.equal((await service.get('/resource_providers')).status, 200)
  const shape = { inventories: { [id(1)]: { resource_provider_generation: 3, inventories: {} } }, allocations: {} }
  assert.equal((await w.at('1.30').post('/reshaper', shape)).status, 403)
  assert.equal((await service.post('/reshaper', shape)).status, 204)
  assert.equal((await w.withToken(undefined).placement.get('/resource_providers')).status, 401)
})
