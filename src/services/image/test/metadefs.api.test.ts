import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'
import { openValidators } from '../../../kit/http/validate.ts'

const base = '/metadefs/namespaces'
const make = (client: Client, namespace: string, more: object = {}) => client.image.post(base, { namespace, ...more })

test('the standard namespaces are there, with what they apply to', async (t) => {
  const { member } = await testCloud(t)
  const { body } = await member.image.get(`${base}?limit=100&sort_key=namespace&sort_dir=asc`)
  assert.equal(body.namespaces.length, 33)
  const pinning = body.namespaces.find((one: { namespace: string }) => one.namespace === 'OS::Compute::CPUPinning')
  assert.deepEqual([pinning.visibility, pinning.protected, pinning.self], ['public', true, `/v2${base}/OS::Compute::CPUPinning`])
  assert.deepEqual(
    pinning.resource_type_associations.map((one: { name: string; prefix: string }) => [one.name, one.prefix]),
    [
      ['OS::Cinder::Volume', 'hw_'],
      ['OS::Glance::Image', 'hw_'],
      ['OS::Nova::Flavor', 'hw:'],
    ],
  )
  const disks = (await member.image.get(`${base}/OS::Compute::LibvirtImage/properties/hw_disk_bus`)).body
  assert.deepEqual([disks.name, disks.type, disks.enum.includes('virtio')], ['hw_disk_bus', 'string', true])
  const asFlavor = (await member.image.get(`${base}/OS::Compute::VirtCPUTopology?resource_type=OS::Nova::Flavor`)).body
  assert.ok('hw:cpu_sockets' in asFlavor.properties)
  const types = (await member.image.get('/metadefs/resource_types')).body.resource_types
  assert.ok(types.some(({ name }: { name: string }) => name === 'OS::Glance::Image'))
  const forTrove = (await member.image.get(`${base}?resource_types=OS::Trove::Instance`)).body.namespaces
  assert.deepEqual(
    forTrove.map((one: { namespace: string }) => one.namespace),
    ['OS::Software::DBMS'],
  )
})

test('a namespace with all its parts is made, shown, renamed and removed', async (t) => {
  const { admin } = await testCloud(t)
  const property = { title: 'Color', type: 'string', enum: ['red', 'blue'], default: 'red' }
  const made = await make(admin, 'Own', {
    display_name: 'Our own',
    description: 'words',
    resource_type_associations: [{ name: 'OS::Own::Thing', prefix: 'x_' }],
    properties: { color: property },
    objects: [{ name: 'box', required: ['width'], properties: { width: { title: 'Width', type: 'integer', minimum: 1 } } }],
    tags: [{ name: 'a' }],
  })
  assert.deepEqual([made.status, made.headers['location']], [201, '/v2/metadefs/namespaces/Own'])
  assert.deepEqual([made.body.visibility, made.body.protected, made.body.owner], ['private', false, admin.caller.projectId])
  const { body } = await admin.image.get(`${base}/Own`)
  assert.deepEqual([body.properties, body.objects[0].required, body.tags[0].name], [{ color: property }, ['width'], 'a'])
  const prefixed = (await admin.image.get(`${base}/Own?resource_type=OS::Own::Thing`)).body
  assert.deepEqual(
    [Object.keys(prefixed.properties), prefixed.objects[0].required, Object.keys(prefixed.objects[0].properties)],
    [['x_color'], ['x_width'], ['x_width']],
  )
  assert.equal((await make(admin, 'Own')).status, 409)
  // As glance's own client changes it: with what it was shown.
  const { self: _, schema: __, created_at: ___, updated_at: ____, ...sent } = body
  const changed = await admin.image.put(`${base}/Own`, { ...sent, description: 'other words' })
  assert.deepEqual([changed.status, changed.body.description], [200, 'other words'])
  const renamed = await admin.image.put(`${base}/Own`, { namespace: 'New', visibility: 'public' })
  assert.deepEqual([renamed.status, renamed.body.namespace, renamed.body.display_name], [200, 'New', undefined])
  assert.equal((await admin.image.get(`${base}/Own`)).status, 404)
  assert.equal((await admin.image.get(`${base}/New/objects/box`)).body.self, `/v2${base}/New/objects/box`)
  assert.equal((await admin.image.put(`${base}/New`, { namespace: 'OS::Compute::CPUPinning' })).status, 409)
  assert.equal((await admin.image.delete(`${base}/New`)).status, 204)
  assert.equal((await admin.image.get(`${base}/New`)).status, 404)
})

test('objects, properties and tags live their lives', async (t) => {
  const { admin } = await testCloud(t)
  await make(admin, 'N')
  for (const [plural, first, second] of [
    ['objects', { name: 'one', description: 'd' }, { name: 'two', properties: { p: { title: 'P', type: 'string' } } }],
    ['properties', { name: 'one', title: 'One', type: 'integer' }, { name: 'two', title: 'Two', type: 'boolean' }],
  ] as const) {
    const path = `${base}/N/${plural}`
    const made = await admin.image.post(path, first)
    assert.deepEqual([made.status, made.body.name], [201, 'one'], JSON.stringify(made.body))
    assert.equal((await admin.image.post(path, first)).status, 409)
    assert.equal((await admin.image.get(`${path}/one`)).body.name, 'one')
    assert.equal((await admin.image.put(`${path}/one`, second)).body.name, 'two')
    assert.equal((await admin.image.get(`${path}/one`)).status, 404)
    assert.equal((await admin.image.put(`${path}/one`, second)).status, 404)
    const listed = (await admin.image.get(path)).body[plural]
    assert.deepEqual(
      plural === 'objects' ? listed[0].name : listed,
      plural === 'objects' ? 'two' : { two: { title: 'Two', type: 'boolean' } },
    )
    assert.equal((await admin.image.delete(`${path}/two`)).status, 204)
    assert.equal((await admin.image.delete(`${path}/two`)).status, 404)
    await admin.image.post(path, first)
    assert.equal((await admin.image.delete(path)).status, 204)
    assert.equal((await admin.image.get(`${path}/one`)).status, 404)
  }
  const tags = `${base}/N/tags`
  const names = async (query = '') => (await admin.image.get(tags + query)).body.tags.map(({ name }: { name: string }) => name)
  assert.equal((await admin.image.post(`${tags}/a`)).body.name, 'a')
  assert.equal((await admin.image.post(`${tags}/a`)).status, 409)
  assert.deepEqual((await admin.image.post(tags, { tags: [{ name: 'x' }, { name: 'y' }] })).body.tags, [
    { name: 'x' },
    { name: 'y' },
  ])
  assert.equal(
    (await admin.image.post(tags, { tags: [{ name: 'z' }] }, { headers: { 'x-openstack-append': 'true' } })).status,
    201,
  )
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc'), ['x', 'y', 'z'])
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc&limit=1&marker=x'), ['y'])
  assert.equal((await admin.image.get(`${tags}?marker=nothing`)).status, 404)
  assert.equal((await admin.image.post(tags, { tags: [{ name: 'z' }, { name: 'z' }] })).status, 409)
  assert.deepEqual(await names('?sort_key=name'), ['z', 'y', 'x'])
  assert.equal((await admin.image.put(`${tags}/x`, { name: 'w' })).body.name, 'w')
  assert.equal((await admin.image.delete(`${tags}/w`)).status, 204)
  assert.equal((await admin.image.delete(tags)).status, 204)
  assert.deepEqual(await names(), [])
})

test('types of resources are associated and dissociated', async (t) => {
  const { admin } = await testCloud(t)
  await make(admin, 'N')
  const path = `${base}/N/resource_types`
  const made = await admin.image.post(path, { name: 'OS::Own', prefix: 'p_', properties_target: 'image' })
  assert.deepEqual([made.status, made.body.prefix, made.body.properties_target], [201, 'p_', 'image'])
  assert.equal((await admin.image.post(path, { name: 'OS::Own' })).status, 409)
  await admin.image.post(`${base}/N/properties`, { name: 'c', title: 'C', type: 'string' })
  assert.equal((await admin.image.get(`${base}/N/properties/p_c?resource_type=OS::Own`)).body.name, 'c')
  assert.equal((await admin.image.get(`${base}/N/properties/c?resource_type=OS::Own`)).status, 404)
  assert.equal((await admin.image.get(path)).body.resource_type_associations[0].name, 'OS::Own')
  assert.equal((await admin.image.delete(`${path}/OS::Own`)).status, 204)
  assert.equal((await admin.image.delete(`${path}/OS::Own`)).status, 404)
})

test('who sees and changes definitions: public ones everybody, private ones the project, and only administrators write', async (t) => {
  const { admin, member, reader, stranger } = await testCloud(t)
  await make(admin, 'Theirs', { owner: member.caller.projectId })
  await make(admin, 'All', { visibility: 'public' })
  for (const [client, statuses] of [
    [member, [200, 200]],
    [reader, [200, 200]],
    [stranger, [404, 200]],
  ] as const) {
    assert.deepEqual(
      [(await client.image.get(`${base}/Theirs`)).status, (await client.image.get(`${base}/All`)).status],
      statuses,
    )
    assert.equal((await make(client, 'X')).status, 403)
    assert.equal((await client.image.delete(`${base}/All`)).status, 403)
    for (const plural of ['objects', 'properties', 'tags', 'resource_types']) {
      assert.equal((await client.image.get(`${base}/All/${plural}`)).status, 200)
      assert.equal((await client.image.get(`${base}/Theirs/${plural}`)).status, statuses[0])
    }
    assert.equal((await client.image.post(`${base}/All/tags/x`)).status, 403)
  }
  const seen = async (client: Client) => (await client.image.get(`${base}?visibility=private`)).body.namespaces.length
  assert.deepEqual([await seen(admin), await seen(member), await seen(stranger)], [1, 1, 0])
})

test('what is protected is not removed, and what does not fit is refused', async (t) => {
  const { admin } = await testCloud(t)
  await make(admin, 'P', { protected: true, tags: [{ name: 'a' }] })
  for (const path of ['', '/tags/a', '/tags', '/objects', '/properties'])
    assert.equal((await admin.image.delete(`${base}/P${path}`)).status, 403, path)
  for (const [body, status] of [
    [{}, 400],
    [{ namespace: 'x'.repeat(81) }, 400],
    [{ namespace: 'x', visibility: 'shared' }, 400],
    [{ namespace: 'x', other: 1 }, 400],
    [{ namespace: 'x', schema: 'x' }, 403],
    [{ namespace: 'x', created_at: 'x' }, 403],
    [{ namespace: 'x', properties: { a: { type: 'string' } } }, 400],
    [{ namespace: 'x', properties: { a: { title: 'A', type: 'text' } } }, 400],
  ] as const)
    assert.equal((await admin.image.post(base, body)).status, status, JSON.stringify(body))
  assert.equal((await admin.image.post(`${base}/P/properties`, { name: 'a', type: 'string' })).status, 400)
  assert.equal((await admin.image.post(`${base}/P/objects`, { name: 'a', created_at: 'x' })).status, 403)
  assert.equal((await admin.image.post(`${base}/Nowhere/tags/a`)).status, 404)
  for (const query of ['visibility=shared', 'sort_dir=up', 'sort_key=nonsense', 'limit=x'])
    assert.equal((await admin.image.get(`${base}?${query}`)).status, 400, query)
  assert.equal((await admin.image.get(`${base}?marker=nothing`)).status, 404)
})

test('each schema is found, and what is shown is as the schema says', async (t) => {
  const { member } = await testCloud(t)
  for (const name of [
    'namespace',
    'namespaces',
    'object',
    'objects',
    'property',
    'properties',
    'tag',
    'tags',
    'resource_type',
    'resource_types',
  ])
    assert.equal(typeof (await member.image.get(`/schemas/metadefs/${name}`)).body.name, 'string')
  const { body: schema } = await member.image.get('/schemas/metadefs/namespace')
  const { body: namespaces } = await member.image.get(`${base}?limit=100`)
  const shown = await Promise.all(
    namespaces.namespaces.map(async (one: { namespace: string }) => (await member.image.get(`${base}/${one.namespace}`)).body),
  )
  const check = openValidators().check
  for (const one of shown) assert.equal(check(schema, one, 'body'), undefined, one.namespace)
})
