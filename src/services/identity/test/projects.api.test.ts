import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

const names = async (cloud: IdentityCloud, query: string) =>
  (await cloud.admin.identity.get(`/projects?${query}`)).body.projects.map((one: Json) => one.name)

test('a project is made, shown, changed and deleted', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { id, links, ...rest } = await cloud.make('/projects', { project: { name: 'p', colour: 'red', tags: ['b', 'a'] } })
  assert.equal(links.self, `http://localhost:80/v3/projects/${id}`)
  assert.deepEqual(rest, {
    colour: 'red',
    name: 'p',
    domain_id: 'default',
    description: '',
    enabled: true,
    parent_id: 'default',
    is_domain: false,
    tags: ['a', 'b'],
    options: {},
  })
  const changed = await identity.patch(`/projects/${id}`, { project: { description: 'new', tags: [] } })
  assert.deepEqual([changed.status, changed.body.project.description, changed.body.project.tags], [200, 'new', []])
  assert.equal((await identity.head(`/projects/${id}`)).status, 200)
  assert.equal((await identity.delete(`/projects/${id}`)).status, 204)
  assert.equal((await identity.get(`/projects/${id}`)).body.error.message, `Could not find project: ${id}.`)
})

test('projects stand in a tree: shown up and down, five levels high, deleted from the leaves, switched in order', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const ids: string[] = []
  for (let level = 0; level < 5; level++)
    ids.push((await cloud.make('/projects', { project: { name: `l${level}`, parent_id: ids.at(-1) ?? null } })).id)
  const tooDeep = await identity.post('/projects', { project: { name: 'l5', parent_id: ids[4] } })
  assert.deepEqual([tooDeep.status, tooDeep.body.error.message], [403, `Max hierarchy depth reached for ${ids[4]} branch.`])
  const [a, b, c, d, e] = ids as [string, string, string, string, string]
  const shown = (await identity.get(`/projects/${c}?parents_as_ids&subtree_as_ids`)).body.project
  assert.deepEqual(shown.parents, { [b]: { [a]: { default: null } } })
  assert.deepEqual(shown.subtree, { [d]: { [e]: null } })
  assert.equal((await identity.get(`/projects/${c}?parents_as_ids&parents_as_list`)).status, 400)
  const status = async (answer: Promise<Json>) => (await answer).status
  assert.equal(await status(identity.delete(`/projects/${d}`)), 403)
  assert.equal(await status(identity.patch(`/projects/${d}`, { project: { enabled: false } })), 403)
  assert.equal(await status(identity.patch(`/projects/${e}`, { project: { enabled: false } })), 200)
  assert.equal(await status(identity.patch(`/projects/${d}`, { project: { enabled: false } })), 200)
  assert.equal(await status(identity.patch(`/projects/${e}`, { project: { enabled: true } })), 403)
  assert.equal(await status(identity.post('/projects', { project: { name: 'x', parent_id: d } })), 400)
  assert.equal(await status(identity.patch(`/projects/${e}`, { project: { parent_id: a } })), 403)
  assert.equal(await status(identity.delete(`/projects/${e}`)), 204)
})

test('relatives are listed only where the caller has a role', async (t) => {
  const cloud = await identityCloud(t)
  const { user, project, sign } = await newMember(cloud)
  const child = await cloud.make('/projects', { project: { name: 'child', parent_id: project.id } })
  await cloud.make('/projects', { project: { name: 'hidden', parent_id: project.id } })
  await cloud.admin.identity.put(`/projects/${child.id}/users/${user.id}/roles/${await cloud.roleId('reader')}`)
  const { identity } = await cloud.signIn(sign)
  const { subtree } = (await identity.get(`/projects/${project.id}?subtree_as_list`)).body.project
  assert.deepEqual(
    subtree.map((one: Json) => one.project.name),
    ['child'],
  )
})

test('what is wrong with a project is said', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const other = await cloud.make('/domains', { domain: { name: 'acme' } })
  const project = await cloud.make('/projects', { project: { name: 'p' } })
  const post = (body: Json) => identity.post('/projects', { project: body })
  const patch = (body: Json) => identity.patch(`/projects/${project.id}`, { project: body })
  const cases: [Promise<Json>, number, RegExp][] = [
    [post({ name: 'p' }), 409, /Duplicate entry found with name p at domain ID default/],
    [post({ name: 'x'.repeat(65) }), 400, /is too long/],
    [post({ name: 'x', parent_id: 'nothing' }), 400, /Could not find project/],
    [post({ name: 'x', domain_id: 'nothing' }), 400, /Could not find/],
    [post({ name: 'x', domain_id: other.id, parent_id: project.id }), 400, /a parent in a different domain/],
    [post({ name: 'x', is_domain: true, parent_id: project.id }), 400, /only root projects/],
    [post({ name: 'x', tags: ['a', 'a'] }), 400, /tags/],
    [post({ name: 'x', tags: ['a/b'] }), 400, /does not match/],
    [patch({ domain_id: other.id }), 400, /Cannot change Domain ID/],
    [patch({ is_domain: true }), 400, /is_domain/],
  ]
  for (const [answer, status, message] of cases) {
    const { body, ...rest } = await answer
    assert.equal(rest.status, status, JSON.stringify(body))
    assert.match(body.error.message, message)
  }
  assert.equal((await post({ name: 'p', domain_id: other.id })).status, 201)
})

test('projects are listed by domain, parent, name, state and tags; domains among them only when asked for', async (t) => {
  const cloud = await identityCloud(t)
  const parent = await cloud.make('/projects', { project: { name: 'a', tags: ['x', 'y'] } })
  await cloud.make('/projects', { project: { name: 'b', parent_id: parent.id, tags: ['y'] } })
  await cloud.make('/projects', { project: { name: 'c', enabled: false } })
  assert.deepEqual(await names(cloud, ''), ['admin', 'a', 'b', 'c'])
  assert.deepEqual(await names(cloud, 'is_domain=true'), ['Default'])
  assert.deepEqual(await names(cloud, `parent_id=${parent.id}`), ['b'])
  assert.deepEqual(await names(cloud, 'enabled=0'), ['c'])
  assert.deepEqual(await names(cloud, 'name=a'), ['a'])
  assert.deepEqual(await names(cloud, 'tags=x,y'), ['a'])
  assert.deepEqual(await names(cloud, 'tags-any=x,y'), ['a', 'b'])
  assert.deepEqual(await names(cloud, 'not-tags=x,y'), ['admin', 'b', 'c'])
  assert.deepEqual(await names(cloud, 'not-tags-any=x,y'), ['admin', 'c'])
})

test('tags are set, added, checked and taken away', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { id } = await cloud.make('/projects', { project: { name: 'p' } })
  const tags = `/projects/${id}/tags`
  assert.deepEqual((await identity.put(tags, { tags: ['b', 'a'] })).body.tags, ['a', 'b'])
  const added = await identity.put(`${tags}/c`)
  assert.deepEqual([added.status, added.headers['location']], [201, `http://localhost:80/v3${tags}/c`])
  assert.deepEqual((await identity.get(tags)).body, { links: { self: `http://localhost:80/v3${tags}` }, tags: ['a', 'b', 'c'] })
  assert.deepEqual([(await identity.head(`${tags}/c`)).status, (await identity.head(`${tags}/d`)).status], [204, 404])
  assert.deepEqual([(await identity.delete(`${tags}/c`)).status, (await identity.delete(`${tags}/c`)).status], [204, 404])
  assert.equal((await identity.put(tags, { tags: Array.from({ length: 81 }, (_, at) => `t${at}`) })).status, 400)
  assert.equal((await identity.delete(tags)).status, 204)
  assert.deepEqual((await identity.get(tags)).body.tags, [])
})

test('what is immutable stays until it is made mutable', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const { id } = await cloud.make('/projects', { project: { name: 'p', options: { immutable: true } } })
  assert.equal((await identity.patch(`/projects/${id}`, { project: { name: 'q' } })).status, 403)
  assert.equal((await identity.delete(`/projects/${id}`)).status, 403)
  const role = await cloud.roleId('admin')
  assert.equal((await identity.patch(`/roles/${role}`, { role: { name: 'boss' } })).status, 403)
  assert.equal((await identity.delete(`/roles/${role}`)).status, 403)
  assert.equal((await identity.patch(`/projects/${id}`, { project: { options: { immutable: false } } })).status, 200)
  assert.equal((await identity.delete(`/projects/${id}`)).status, 204)
})

test('a domain is a project as well; enabled it stays, disabled it goes with all that is in it', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const domain = await cloud.make('/domains', { domain: { name: 'acme', description: 'd' } })
  assert.deepEqual(Object.keys(domain).sort(), ['description', 'enabled', 'id', 'links', 'name', 'options', 'tags'])
  const { user, project, sign } = await newMember(cloud, { domain: domain.id })
  await cloud.make('/projects', { project: { name: 'below', parent_id: project.id } })
  const group = await cloud.make('/groups', { group: { name: 'g', domain_id: domain.id } })
  await identity.put(`/domains/${domain.id}/groups/${group.id}/roles/${await cloud.roleId('member')}`)
  await cloud.make('/roles', { role: { name: 'own', domain_id: domain.id } })
  assert.equal((await identity.get(`/projects/${domain.id}`)).body.project.is_domain, true)
  assert.equal((await identity.get(`/domains/${project.id}`)).status, 404)
  assert.equal((await identity.get('/domains?name=acme')).body.domains.length, 1)
  const early = await identity.delete(`/domains/${domain.id}`)
  assert.deepEqual(
    [early.status, early.body.error.message],
    [403, 'Cannot delete a domain that is enabled, please disable it first.'],
  )
  assert.equal((await identity.patch(`/domains/${domain.id}`, { domain: { enabled: false } })).body.domain.enabled, false)
  assert.equal((await cloud.ask(sign)).status, 401)
  assert.equal((await identity.delete(`/domains/${domain.id}`)).status, 204)
  assert.equal((await identity.get(`/users/${user.id}`)).status, 404)
  assert.deepEqual(await names(cloud, ''), ['admin'])
  assert.deepEqual((await cloud.cloud.services.identity.audit!()).problems, [])
  const chosen = await identity.post('/domains', { domain: { name: 'chosen', explicit_domain_id: 'ab'.repeat(16) } })
  assert.equal(chosen.body.domain.id, 'ab'.repeat(16))
  assert.equal((await identity.post('/domains', { domain: { name: 'x', explicit_domain_id: 'x' } })).status, 400)
  assert.equal((await identity.post('/domains', { domain: { name: 'Default' } })).status, 409)
})

test('a deleted project is nobody’s default project any more', async (t) => {
  const cloud = await identityCloud(t)
  const { user, project } = await newMember(cloud)
  await cloud.admin.identity.patch(`/users/${user.id}`, { user: { default_project_id: project.id } })
  assert.equal((await cloud.admin.identity.get(`/users/${user.id}`)).body.user.default_project_id, project.id)
  await cloud.admin.identity.delete(`/projects/${project.id}`)
  assert.equal((await cloud.admin.identity.get(`/users/${user.id}`)).body.user.default_project_id, undefined)
})
