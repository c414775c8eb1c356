import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { identityCloud, newMember } from './signing-in.ts'

async function world(t: TestContext) {
  const cloud = await identityCloud(t)
  const member = await newMember(cloud)
  const service = await cloud.make('/services', { service: { type: 'shop', name: 'shop' } })
  const endpoint = (face: string) =>
    cloud.make('/endpoints', { endpoint: { interface: face, url: `http://${face}`, service_id: service.id } })
  const [open, closed] = [await endpoint('public'), await endpoint('internal')]
  const { identity } = cloud.admin
  const project = `/OS-EP-FILTER/projects/${member.project.id}`
  const seen = async (): Promise<string[]> =>
    (await cloud.ask(member.sign)).body.token.catalog.flatMap((entry: Json) => entry.endpoints.map((one: Json) => one.url)).sort()
  return { cloud, member, service, open, closed, identity, project, seen }
}

test('a project with endpoints of its own sees those only, one without sees all', async (t) => {
  const { member, open, identity, project, seen } = await world(t)
  assert.ok((await seen()).length > 4)
  const path = `${project}/endpoints/${open.id}`
  assert.equal((await identity.get(path)).status, 404)
  assert.equal((await identity.put(path)).status, 204)
  assert.equal((await identity.put(path)).status, 409)
  assert.equal((await identity.head(path)).status, 204)
  assert.deepEqual(await seen(), ['http://public'])
  assert.equal((await identity.get(`${project}/endpoints`)).body.endpoints[0].id, open.id)
  const projects = (await identity.get(`/OS-EP-FILTER/endpoints/${open.id}/projects`)).body.projects
  assert.deepEqual(
    projects.map((one: Json) => one.id),
    [member.project.id],
  )
  assert.equal((await identity.delete(path)).status, 204)
  assert.equal((await identity.delete(path)).status, 404)
  assert.ok((await seen()).length > 4)
})

test('a group shows all endpoints its filters fit, those made later too', async (t) => {
  const { cloud, service, closed, identity, project, seen } = await world(t)
  const filters = { service_id: service.id, interface: 'internal' }
  const group = await cloud.make('/OS-EP-FILTER/endpoint_groups', { endpoint_group: { name: 'inner', filters } })
  const at = `/OS-EP-FILTER/endpoint_groups/${group.id}`
  assert.equal((await identity.get(`${at}/endpoints`)).body.endpoints[0].id, closed.id)
  const link = `${at}/projects/${project.split('/').at(-1)}`
  assert.equal((await identity.put(link)).status, 204)
  assert.equal((await identity.get(link)).body.project_endpoint_group.endpoint_group_id, group.id)
  assert.deepEqual(await seen(), ['http://internal'])
  await cloud.make('/endpoints', { endpoint: { interface: 'internal', url: 'http://new', service_id: service.id } })
  assert.deepEqual(await seen(), ['http://internal', 'http://new'])
  assert.equal((await identity.get(`${at}/projects`)).body.projects.length, 1)
  assert.equal((await identity.get(`${project}/endpoint_groups`)).body.endpoint_groups[0].id, group.id)
  const changed = await identity.patch(at, { endpoint_group: { name: 'other', description: 'x' } })
  assert.deepEqual([changed.body.endpoint_group.name, changed.body.endpoint_group.filters], ['other', filters])
  assert.equal((await identity.get('/OS-EP-FILTER/endpoint_groups?name=other')).body.endpoint_groups.length, 1)
  assert.equal((await identity.delete(at)).status, 204)
  assert.ok((await seen()).length > 4)
})

test('a group filters by what endpoints have', async (t) => {
  const { identity } = await world(t)
  for (const filters of [{}, { url: 'http://x' }, { interface: 5 }, undefined]) {
    const body = { endpoint_group: { name: 'x', filters } }
    assert.equal((await identity.post('/OS-EP-FILTER/endpoint_groups', body)).status, 400)
  }
})

test('the nearest policy of an endpoint is its own, its region’s, its service’s', async (t) => {
  const { cloud, service, open, identity } = await world(t)
  const policy = async (type: string) => (await cloud.make('/policies', { policy: { type, blob: '{}' } })).id
  const [own, regional, general] = [await policy('own'), await policy('regional'), await policy('general')]
  const parent = await cloud.make('/regions', { region: { id: 'parent' } })
  const child = await cloud.make('/regions', { region: { id: 'child', parent_region_id: parent.id } })
  await identity.patch(`/endpoints/${open.id}`, { endpoint: { region_id: child.id } })
  const nearest = async () => (await identity.get(`/endpoints/${open.id}/OS-ENDPOINT-POLICY/policy`)).body.policy?.type
  assert.equal(await nearest(), undefined)
  const at = (id: string, rest: string) => `/policies/${id}/OS-ENDPOINT-POLICY/${rest}`
  const places: [string, string, string][] = [
    [general, `services/${service.id}`, 'general'],
    [regional, `services/${service.id}/regions/${parent.id}`, 'regional'],
    [own, `endpoints/${open.id}`, 'own'],
  ]
  for (const [id, rest, type] of places) {
    assert.equal((await identity.get(at(id, rest))).status, 404)
    assert.equal((await identity.put(at(id, rest))).status, 204)
    assert.equal((await identity.get(at(id, rest))).status, 204)
    assert.equal(await nearest(), type)
    assert.ok((await identity.get(at(id, 'endpoints'))).body.endpoints.some((one: Json) => one.id === open.id))
  }
  assert.equal((await identity.put(at(general, `endpoints/${open.id}`))).status, 204)
  assert.equal((await identity.get(at(own, `endpoints/${open.id}`))).status, 404, 'another one took its place')
  assert.equal((await identity.delete(at(general, `endpoints/${open.id}`))).status, 204)
  assert.equal(await nearest(), 'regional')
  await identity.delete(`/policies/${regional}`)
  assert.equal(await nearest(), 'general')
})

test('policies are kept and shown', async (t) => {
  const { cloud, identity } = await world(t)
  const made = await cloud.make('/policies', { policy: { type: 'application/json', blob: '{"a": 1}', owner: 'me' } })
  assert.deepEqual([made.type, made.blob, made.owner], ['application/json', '{"a": 1}', 'me'])
  const changed = await identity.patch(`/policies/${made.id}`, { policy: { type: 'text' } })
  assert.deepEqual([changed.body.policy.type, changed.body.policy.blob], ['text', '{"a": 1}'])
  assert.equal((await identity.get('/policies?type=text')).body.policies.length, 1)
  assert.equal((await identity.post('/policies', { policy: { type: 'x', blob: {} } })).status, 400)
  assert.equal((await identity.delete(`/policies/${made.id}`)).status, 204)
  assert.equal((await identity.get(`/policies/${made.id}`)).status, 404)
})
