import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { adminProject, identityCloud } from './signing-in.ts'

test('regions are made with chosen ids or without, in a tree, and go only without endpoints', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const north = await identity.put('/regions/north', { region: { description: 'n' } })
  assert.deepEqual([north.status, north.body.region.parent_region_id], [201, null])
  const south = await cloud.make('/regions', { region: { id: 'south', parent_region_id: 'north' } })
  assert.equal(south.links.self, 'http://localhost:80/v3/regions/south')
  assert.match((await cloud.make('/regions', { region: {} })).id, /^[0-9a-f]{32}$/)
  assert.equal((await identity.post('/regions', { region: { id: 'north' } })).status, 409)
  assert.equal((await identity.post('/regions', { region: { id: 'x', parent_region_id: 'nothing' } })).status, 404)
  assert.equal((await identity.patch('/regions/north', { region: { parent_region_id: 'south' } })).status, 400)
  assert.deepEqual(
    (await identity.get('/regions?parent_region_id=north')).body.regions.map((one: Json) => one.id),
    ['south'],
  )
  assert.equal((await identity.delete('/regions/RegionOne')).status, 403)
  assert.equal((await identity.delete('/regions/north')).status, 204)
  assert.equal((await identity.get('/regions/south')).status, 404)
  assert.equal((await cloud.member.identity.get('/regions')).status, 200)
  assert.equal((await cloud.member.identity.get('/services')).status, 403)
})

test('services and endpoints: a token shows what is enabled, with the fixed words filled in', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const service = await cloud.make('/services', { service: { type: 'object-store', name: 'swift', description: 'd' } })
  assert.deepEqual([service.name, service.description, service.enabled], ['swift', 'd', true])
  const url = 'http://swift/v1/AUTH_$(project_id)s'
  const body = { interface: 'public', service_id: service.id, region: 'New', url }
  const endpoint = await cloud.make('/endpoints', { endpoint: body })
  assert.deepEqual([endpoint.region, endpoint.region_id, endpoint.enabled], ['New', 'New', true])
  assert.equal((await identity.get('/regions/New')).status, 200)
  const shown = async (scope: Json) => {
    const { token } = (await cloud.ask({ scope })).body
    const entry = token.catalog.find((one: Json) => one.type === 'object-store')
    return [token.project?.id, entry?.endpoints.map((one: Json) => one.url)]
  }
  const [project, urls] = await shown(adminProject)
  assert.deepEqual(urls, [`http://swift/v1/AUTH_${project}`])
  assert.deepEqual((await shown({ system: { all: true } }))[1], [])
  await identity.patch(`/endpoints/${endpoint.id}`, { endpoint: { enabled: false } })
  assert.deepEqual((await shown(adminProject))[1], [])
  await identity.patch(`/services/${service.id}`, { service: { enabled: false } })
  assert.equal((await shown(adminProject))[1], undefined)
  assert.deepEqual((await identity.get('/services?type=object-store')).body.services.length, 1)
  assert.deepEqual((await identity.get('/services?name=swift')).body.services.length, 1)
  const of = `service_id=${service.id}&interface=public&region_id=New`
  assert.equal((await identity.get(`/endpoints?${of}`)).body.endpoints.length, 1)
  assert.equal((await identity.delete(`/services/${service.id}`)).status, 204)
  assert.equal((await identity.get(`/endpoints/${endpoint.id}`)).status, 404)
})

test('OSSA-2014-029: an endpoint’s address has no placeholders but the fixed ones', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { id } = await cloud.make('/services', { service: { type: 't' } })
  const post = (url: string) => identity.post('/endpoints', { endpoint: { interface: 'public', service_id: id, url } })
  for (const url of ['http://$(admin_token)s', 'http://%(config)s/', 'http://$(project_id', 'http://x/$(project_id)s/$(secret)s'])
    assert.equal((await post(url)).status, 400, url)
  for (const url of ['http://x/$(tenant_id)s', 'http://x/%(user_id)s', 'http://x/'])
    assert.equal((await post(url)).status, 201, url)
  assert.equal(
    (await identity.post('/endpoints', { endpoint: { interface: 'secret', service_id: id, url: 'http://x' } })).status,
    400,
  )
  assert.equal(
    (await identity.post('/endpoints', { endpoint: { interface: 'public', service_id: 'no', url: 'http://x' } })).status,
    400,
  )
  const noRegion = { interface: 'public', service_id: id, url: 'http://x', region_id: 'nowhere' }
  assert.equal((await identity.post('/endpoints', { endpoint: noRegion })).status, 400)
})

test('versions are told at the root and at v3, to anybody', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.withToken(undefined)
  const root = await identity.get('//')
  assert.deepEqual([root.status, root.headers['location']], [300, 'http://localhost:80/v3/'])
  const [version] = root.body.versions.values
  assert.deepEqual([version.id, version.status, version.links[0].href], ['v3.14', 'stable', 'http://localhost:80/v3/'])
  for (const path of ['//v3', '//v3/']) assert.deepEqual((await identity.get(path)).body, { version }, path)
  assert.equal((await identity.head('//v3')).status, 200)
})

test('who prefers it gets JSON home: every resource under its relation', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.withToken(undefined)
  const ask = async (path: string, accept: string) => identity.get(path, { headers: { accept } })
  const home = await ask('//v3', 'application/json-home')
  assert.equal(home.headers['content-type'], 'application/json-home')
  const { resources } = home.body
  const rel = (name: string) => resources[`https://docs.openstack.org/api/openstack-identity/3/rel/${name}`]
  assert.deepEqual(rel('users'), { href: '/users' })
  assert.deepEqual(rel('auth_tokens'), { href: '/auth/tokens' })
  assert.deepEqual(rel('user'), {
    'href-template': '/users/{user_id}',
    'href-vars': { user_id: 'https://docs.openstack.org/api/openstack-identity/3/param/user_id' },
  })
  for (const name of ['project_user_role', 'domain_group_roles', 'system_user_role', 'implied_role', 'region', 'endpoint'])
    assert.ok(rel(name), name)
  const fromRoot = (await ask('//', 'application/json-home, application/json;q=0.5')).body.resources
  assert.equal(fromRoot['https://docs.openstack.org/api/openstack-identity/3/rel/users'].href, '/v3/users')
  assert.ok((await ask('//v3', 'application/json, application/json-home')).body.version)
})

test('what is not there is 404 with identity’s body, a wrong method 405', async (t) => {
  const cloud = await identityCloud(t)
  const unknown = await cloud.admin.identity.get('/nothing')
  assert.deepEqual([unknown.status, unknown.body.error.code, unknown.body.error.title], [404, 404, 'Not Found'])
  const wrong = await cloud.admin.identity.put('/users', {})
  assert.deepEqual([wrong.status, wrong.body.error.title], [405, 'Method Not Allowed'])
  const noToken = await cloud.withToken(undefined).identity.get('/users')
  assert.deepEqual([noToken.status, noToken.body.error.title, noToken.headers['vary']], [401, 'Unauthorized', 'X-Auth-Token'])
})
