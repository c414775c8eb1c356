import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

async function world(t: TestContext, limitModel: 'flat' | 'strict_two_level' = 'flat') {
  const cloud = await identityCloud(t, { limitModel })
  const service = await cloud.make('/services', { service: { type: 'shop' } })
  const wanted = { service_id: service.id, resource_name: 'apples', default_limit: 10 }
  const registered = (await register(cloud, wanted)).body.registered_limits[0]
  const make = (more: Json) =>
    cloud.admin.identity.post('/limits', {
      limits: [more].flat().map((one: Json) => ({ service_id: service.id, resource_name: 'apples', ...one })),
    })
  return { cloud, service, registered, make, identity: cloud.admin.identity }
}

const register = (cloud: IdentityCloud, ...registered_limits: Json[]) =>
  cloud.admin.identity.post('/registered_limits', { registered_limits })

test('limits are registered, all or none, and change while nothing goes by them', async (t) => {
  const { cloud, service, registered, identity, make } = await world(t)
  const two = [
    { service_id: service.id, resource_name: 'pears', default_limit: -1, description: 'sweet' },
    { service_id: service.id, resource_name: 'apples', default_limit: 1 },
  ]
  assert.equal((await register(cloud, ...two)).status, 409)
  assert.equal((await identity.get('/registered_limits')).body.registered_limits.length, 1)
  const pears = (await register(cloud, two[0])).body.registered_limits[0]
  assert.deepEqual([pears.default_limit, pears.description, pears.region_id], [-1, 'sweet', null])
  assert.equal((await identity.get('/registered_limits?resource_name=pears')).body.registered_limits[0].id, pears.id)
  const path = `/registered_limits/${pears.id}`
  const changed = await identity.patch(path, { registered_limit: { default_limit: 3 } })
  assert.equal(changed.body.registered_limit.default_limit, 3)
  assert.equal((await identity.patch(path, { registered_limit: { resource_name: 'apples' } })).status, 409)
  assert.equal((await register(cloud, { ...two[0], service_id: 'nothing' })).status, 400)
  assert.equal((await register(cloud, { ...two[0], default_limit: -2 })).status, 400)
  const { project } = await newMember(cloud)
  const own = (await make({ project_id: project.id, resource_limit: 5 })).body.limits[0]
  for (const answer of [
    await identity.delete(`/registered_limits/${registered.id}`),
    await identity.patch(`/registered_limits/${registered.id}`, { registered_limit: { default_limit: 1 } }),
  ])
    assert.equal(answer.status, 403)
  await identity.delete(`/limits/${own.id}`)
  assert.equal((await identity.delete(`/registered_limits/${registered.id}`)).status, 204)
})

test('a project’s own limit takes the place of the registered one, and goes with the project', async (t) => {
  const { cloud, identity, make } = await world(t)
  const { project } = await newMember(cloud)
  const inForce = () => cloud.cloud.contracts.identity.limits({ serviceType: 'shop', projectId: project.id })
  assert.deepEqual(await inForce(), { apples: 10 })
  const made = await make({ project_id: project.id, resource_limit: 5 })
  assert.equal(made.status, 201)
  const [limit] = made.body.limits
  assert.deepEqual([limit.project_id, limit.domain_id, limit.resource_limit], [project.id, null, 5])
  assert.deepEqual(await inForce(), { apples: 5 })
  assert.equal((await make({ project_id: project.id, resource_limit: 6 })).status, 409)
  assert.equal((await make({ project_id: project.id, resource_limit: 6, resource_name: 'plums' })).status, 403)
  assert.equal((await make({ project_id: 'nothing', resource_limit: 6 })).status, 400)
  assert.equal((await make({ project_id: project.id, domain_id: 'default', resource_limit: 6 })).status, 400)
  const changed = await identity.patch(`/limits/${limit.id}`, { limit: { resource_limit: 0 } })
  assert.equal(changed.body.limit.resource_limit, 0)
  assert.deepEqual(await inForce(), { apples: 0 })
  await identity.delete(`/projects/${project.id}`)
  assert.equal((await identity.get(`/limits/${limit.id}`)).status, 404)
})

test('who belongs to a project or domain sees its limits, and no others', async (t) => {
  const { cloud, make } = await world(t)
  const [ann, bob] = [await newMember(cloud), await newMember(cloud, { name: 'bob' })]
  const limits = (
    await make([
      { project_id: ann.project.id, resource_limit: 1 },
      { project_id: bob.project.id, resource_limit: 2 },
      { domain_id: 'default', resource_limit: 3 },
    ])
  ).body.limits
  const amounts = async (path: string, client = cloud.admin) =>
    (await client.identity.get(path)).body.limits.map((one: Json) => one.resource_limit)
  const client = await cloud.signIn(ann.sign)
  assert.deepEqual(await amounts('/limits', client), [1])
  assert.deepEqual(await amounts(`/limits?project_id=${bob.project.id}`, client), [])
  assert.deepEqual(await amounts('/limits'), [1, 2, 3])
  assert.deepEqual(await amounts('/limits?domain_id=default'), [3])
  assert.deepEqual(await amounts('/limits?limit=2'), [1, 2])
  assert.equal((await client.identity.get(`/limits/${limits[0].id}`)).status, 200)
  assert.equal((await client.identity.get(`/limits/${limits[1].id}`)).status, 403)
  assert.equal((await client.identity.get('/limits/model')).body.model.name, 'flat')
})

test('strict two levels: no project has more than its domain, and projects stand right below it', async (t) => {
  const { cloud, identity, make } = await world(t, 'strict_two_level')
  assert.equal((await identity.get('/limits/model')).body.model.name, 'strict_two_level')
  const { project } = await newMember(cloud)
  assert.equal((await make({ project_id: project.id, resource_limit: 11 })).status, 403, 'more than is registered')
  assert.equal((await make({ project_id: project.id, resource_limit: -1 })).status, 403, 'any amount is more')
  const both = [
    { project_id: project.id, resource_limit: 20 },
    { domain_id: 'default', resource_limit: 15 },
  ]
  assert.equal((await make(both)).status, 403)
  const made = await make([{ ...both[0], resource_limit: 12 }, both[1]])
  assert.equal(made.status, 201)
  const [own, above] = made.body.limits
  const set = async (id: string, resource_limit: number) =>
    (await identity.patch(`/limits/${id}`, { limit: { resource_limit } })).status
  assert.equal(await set(above.id, 11), 403)
  assert.equal(await set(own.id, 16), 403)
  assert.equal(await set(own.id, 5), 200)
  assert.equal(await set(above.id, 5), 200)
  const deep = await identity.post('/projects', { project: { name: 'deep', parent_id: project.id } })
  assert.equal(deep.status, 403)
})
