import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

test('the bootstrap’s roles imply each other in a chain and may be repeated without a change', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const before = (await identity.get('/role_inferences')).body
  const chain = before.role_inferences.map((one: Json) => [one.prior_role.name, one.implies.map((role: Json) => role.name)])
  assert.deepEqual(chain, [
    ['admin', ['manager']],
    ['manager', ['member']],
    ['member', ['reader']],
  ])
  const catalog = (await identity.get('/endpoints')).body
  const ids = await Promise.all([cloud.cloud.bootstrap(), cloud.cloud.bootstrap()])
  assert.deepEqual(ids[0], ids[1])
  assert.deepEqual((await identity.get('/role_inferences')).body, before)
  assert.deepEqual((await identity.get('/endpoints')).body, catalog)
  assert.equal(catalog.endpoints.length, 15)
  assert.equal((await cloud.ask()).status, 201)
})

test('roles are made, listed, changed and deleted; a domain’s own are seen only when the domain is named', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const role = await cloud.make('/roles', { role: { name: 'auditor' } })
  assert.deepEqual([role.domain_id, role.description, role.options], [null, null, {}])
  const own = await cloud.make('/roles', { role: { name: 'auditor', domain_id: 'default', description: 'own' } })
  const list = async (query: string) => (await identity.get(`/roles${query}`)).body.roles.map((one: Json) => one.id)
  assert.deepEqual(await list('?name=auditor'), [role.id])
  assert.deepEqual(await list('?domain_id=default'), [own.id])
  assert.equal((await identity.post('/roles', { role: { name: 'auditor' } })).status, 409)
  assert.equal((await identity.patch(`/roles/${role.id}`, { role: { description: 'x' } })).body.role.description, 'x')
  assert.equal((await identity.delete(`/roles/${role.id}`)).status, 204)
  const gone = await identity.get(`/roles/${role.id}`)
  assert.deepEqual([gone.status, gone.body.error.message], [404, `Could not find role: ${role.id}.`])
  assert.equal((await cloud.manager.identity.get('/roles')).status, 403)
})

test('a domain’s own role has rules of its own: readers of the system see it, and nobody but administrators changes it', async (t) => {
  const cloud = await identityCloud(t)
  const own = await cloud.make('/roles', { role: { name: 'own', domain_id: 'default' } })
  const user = await cloud.make('/users', { user: { name: 'sam', password: 'pw' } })
  await cloud.admin.identity.put(`/system/users/${user.id}/roles/${await cloud.roleId('reader')}`)
  const reader = await cloud.signIn({ id: user.id, password: 'pw', scope: { system: { all: true } } })
  const path = `/roles/${own.id}`
  const change = { role: { description: 'x' } }
  for (const { identity } of [reader, cloud.manager]) {
    assert.equal((await identity.get(path)).status, identity === reader.identity ? 200 : 403)
    assert.equal((await identity.patch(path, change)).status, 403)
    assert.equal((await identity.delete(path)).status, 403)
  }
  assert.equal((await cloud.admin.identity.get(path)).body.role.domain_id, 'default')
  assert.equal((await cloud.admin.identity.patch(path, change)).body.role.description, 'x')
  assert.equal((await cloud.admin.identity.delete(path)).status, 204)
})

test('a role implies another: made, checked, listed, ended; never admin; a circle does no harm', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const [one, two] = [
    await cloud.make('/roles', { role: { name: 'one' } }),
    await cloud.make('/roles', { role: { name: 'two' } }),
  ]
  const path = `/roles/${one.id}/implies/${two.id}`
  assert.equal((await identity.get(path)).body.error.message, `${one.id} does not imply ${two.id}.`)
  const made = await identity.put(path)
  assert.equal(made.status, 201)
  assert.deepEqual([made.body.role_inference.prior_role.name, made.body.role_inference.implies.name], ['one', 'two'])
  assert.equal((await identity.put(path)).status, 409)
  assert.deepEqual([(await identity.get(path)).status, (await identity.head(path)).status], [200, 204])
  assert.equal((await identity.get(`/roles/${one.id}/implies`)).body.role_inference.implies.length, 1)
  assert.equal((await identity.put(`/roles/${two.id}/implies/${one.id}`)).status, 201)
  const { user, project, sign } = await newMember(cloud)
  await identity.put(`/projects/${project.id}/users/${user.id}/roles/${two.id}`)
  const { roles } = (await cloud.ask(sign)).body.token
  assert.deepEqual(roles.map((role: Json) => role.name).sort(), ['member', 'one', 'reader', 'two'])
  assert.equal((await identity.put(`/roles/${one.id}/implies/${await cloud.roleId('admin')}`)).status, 403)
  assert.equal((await identity.delete(path)).status, 204)
  assert.equal((await identity.delete(path)).status, 404)
})

test('a grant is made, checked, listed and taken on projects, domains and the system, of users and groups', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { user, project } = await newMember(cloud)
  const group = await cloud.make('/groups', { group: { name: 'g' } })
  const role = await cloud.roleId('reader')
  for (const place of [`/projects/${project.id}`, '/domains/default', '/system'])
    for (const actor of [`users/${user.id}`, `groups/${group.id}`]) {
      const path = `${place}/${actor}/roles/${role}`
      assert.equal((await identity.head(path)).status, 404, path)
      assert.equal((await identity.put(path)).status, 204, path)
      assert.equal((await identity.put(path)).status, 204, path)
      assert.deepEqual([(await identity.head(path)).status, (await identity.get(path)).status], [204, 204], path)
      const listed = (await identity.get(`${place}/${actor}/roles`)).body.roles
      assert.ok(
        listed.some((one: Json) => one.name === 'reader'),
        path,
      )
      assert.equal((await identity.delete(path)).status, 204, path)
      const again = await identity.delete(path)
      assert.equal(again.status, 404)
      assert.match(again.body.error.message, /^Could not find role assignment with role: /)
    }
  for (const path of [
    `/projects/x/users/${user.id}/roles/${role}`,
    `/projects/${project.id}/users/x/roles/${role}`,
    `/projects/${project.id}/users/${user.id}/roles/x`,
    `/domains/${project.id}/users/${user.id}/roles/${role}`,
  ])
    assert.equal((await identity.put(path)).status, 404, path)
})

const inherit = async (cloud: IdentityCloud, place: string, userId: string, role: string) => {
  const path = `/OS-INHERIT/${place}/users/${userId}/roles/${await cloud.roleId(role)}/inherited_to_projects`
  assert.equal((await cloud.admin.identity.put(path)).status, 204)
  assert.equal((await cloud.admin.identity.head(path)).status, 204)
}

test('an inherited role holds on everything below and not where it was given', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const user = await cloud.make('/users', { user: { name: 'ann', password: 'pw' } })
  const top = await cloud.make('/projects', { project: { name: 'top' } })
  const below = await cloud.make('/projects', { project: { name: 'below', parent_id: top.id } })
  const enter = async (id: string) => (await cloud.ask({ id: user.id, password: 'pw', scope: { project: { id } } })).status
  await inherit(cloud, `projects/${top.id}`, user.id, 'member')
  assert.deepEqual([await enter(top.id), await enter(below.id)], [401, 201])
  await inherit(cloud, 'domains/default', user.id, 'member')
  assert.deepEqual([await enter(top.id), await enter(below.id)], [201, 201])
  assert.equal((await cloud.ask({ id: user.id, password: 'pw', scope: { domain: { id: 'default' } } })).status, 401)
  const projects = (await identity.get(`/users/${user.id}/projects`)).body.projects.map((one: Json) => one.name)
  assert.deepEqual(projects, ['admin', 'top', 'below'])
})

test('a domain’s own role counts by what it implies, and stays in its domain', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const domain = await cloud.make('/domains', { domain: { name: 'acme' } })
  const own = await cloud.make('/roles', { role: { name: 'own', domain_id: domain.id } })
  await identity.put(`/roles/${own.id}/implies/${await cloud.roleId('reader')}`)
  const user = await cloud.make('/users', { user: { name: 'ann', password: 'pw', domain_id: domain.id } })
  const project = await cloud.make('/projects', { project: { name: 'p', domain_id: domain.id } })
  const admin = (await identity.get('/projects?name=admin')).body.projects[0]
  assert.equal((await identity.put(`/projects/${admin.id}/users/${user.id}/roles/${own.id}`)).status, 403)
  assert.equal((await identity.put(`/projects/${project.id}/users/${user.id}/roles/${own.id}`)).status, 204)
  const { roles } = (await cloud.ask({ id: user.id, password: 'pw', scope: { project: { id: project.id } } })).body.token
  assert.deepEqual(
    roles.map((one: Json) => one.name),
    ['reader'],
  )
  const reader = await cloud.roleId('reader')
  assert.equal((await identity.put(`/roles/${reader}/implies/${own.id}`)).status, 403)
})

test('assignments are listed as given, with names, and as they take effect', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { user, project } = await newMember(cloud)
  const group = await cloud.make('/groups', { group: { name: 'crew' } })
  await identity.put(`/groups/${group.id}/users/${user.id}`)
  const below = await cloud.make('/projects', { project: { name: 'below', parent_id: project.id } })
  await identity.put(`/projects/${project.id}/groups/${group.id}/roles/${await cloud.roleId('reader')}`)
  await inherit(cloud, `projects/${project.id}`, user.id, 'reader')
  const list = async (query: string) => (await identity.get(`/role_assignments?${query}`)).body.role_assignments
  assert.equal((await list(`scope.project.id=${project.id}`)).length, 3)
  const [given] = await list(`user.id=${user.id}&role.id=${await cloud.roleId('member')}&include_names`)
  assert.deepEqual(given.user, { id: user.id, name: 'ann', domain: { id: 'default', name: 'Default' } })
  assert.deepEqual(given.scope, { project: { id: project.id, name: 'of-ann', domain: { id: 'default', name: 'Default' } } })
  assert.equal(given.role.name, 'member')
  assert.equal(given.links.assignment, `http://localhost:80/v3/projects/${project.id}/users/${user.id}/roles/${given.role.id}`)
  const short = (one: Json) =>
    [
      one.scope.project.id === below.id ? 'below' : 'top',
      one.role.name,
      ...Object.keys(one.links).filter((key) => key !== 'assignment'),
    ].join(' ')
  const effective = await list(`user.id=${user.id}&effective&include_names`)
  assert.deepEqual(effective.map(short).sort(), ['below reader', 'top member', 'top reader membership', 'top reader prior_role'])
  assert.deepEqual((await list(`effective&scope.project.id=${below.id}&include_names`)).map(short), ['below reader'])
  const inherited = await list('scope.OS-INHERIT:inherited_to=projects')
  assert.deepEqual(
    inherited.map((one: Json) => one.scope['OS-INHERIT:inherited_to']),
    ['projects'],
  )
  assert.equal((await list(`include_subtree=1&scope.project.id=${project.id}`)).length, 3)
  assert.deepEqual(
    (await list('scope.system=all')).map((one: Json) => one.scope),
    [{ system: { all: true } }],
  )
  assert.equal((await list(`group.id=${group.id}`)).length, 1)
  for (const query of [
    `user.id=${user.id}&group.id=${group.id}`,
    'scope.project.id=x&scope.domain.id=y',
    `effective&group.id=${group.id}`,
    'include_subtree=1',
  ])
    assert.equal((await identity.get(`/role_assignments?${query}`)).status, 400, query)
})
