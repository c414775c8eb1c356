import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { minute, second } from '../../../kit/clock.ts'
import { openLog } from '../../../kit/log.ts'
import { type LdapWorld, ldapWorld, person, team } from './ldap-world.ts'

const signIn = (world: LdapWorld, name: string, password = `${name}-pw`, more: Json = {}) =>
  world.cloud.ask({ name, password, domain: world.domain.id, ...more })

async function withRole(world: LdapWorld, path: string) {
  const { cloud } = world
  const project = await cloud.make('/projects', { project: { name: 'p', domain_id: world.domain.id } })
  const put = await cloud.admin.identity.put(`/projects/${project.id}/${path}/roles/${await cloud.roleId('member')}`)
  assert.equal(put.status, 204)
  return { project, scope: { project: { id: project.id } } }
}

test('users of a directory are listed and shown, with ids as Keystone makes them', async (t) => {
  const world = await ldapWorld(t)
  const [ann, bob, ...more] = await world.users()
  assert.deepEqual([more.length, bob.name], [0, 'bob'])
  const { links: _, ...rest } = ann
  assert.deepEqual(rest, {
    id: createHash('sha256').update(`${world.domain.id}userann`).digest('hex'),
    name: 'ann',
    domain_id: world.domain.id,
    enabled: true,
    email: 'ann@corp.example',
    options: {},
    password_expires_at: null,
  })
  assert.deepEqual((await world.cloud.admin.identity.get(`/users/${ann.id}`)).body.user, ann)
  const names = async (query: string) => (await world.users(query)).map((user) => user.name)
  assert.deepEqual(await names('&name=bob'), ['bob'])
  assert.deepEqual(await names('&name__contains=NN'), ['ann'])
  assert.deepEqual(await names('&sort_key=name&sort_dir=desc'), ['bob', 'ann'])
  assert.deepEqual(await names('&limit=1'), ['ann'])
  assert.deepEqual(await names('&enabled=false'), [])
})

test('groups and who is in them come from the directory too', async (t) => {
  const world = await ldapWorld(t)
  const { identity } = world.cloud.admin
  const { groups } = (await identity.get(`/groups?domain_id=${world.domain.id}`)).body
  assert.deepEqual(
    groups.map((group: Json) => [group.name, group.description]),
    [
      ['devs', 'the devs'],
      ['ops', 'the ops'],
    ],
  )
  const [devs, ops] = groups
  const members = async (group: Json) =>
    (await identity.get(`/groups/${group.id}/users`)).body.users.map((user: Json) => user.name)
  assert.deepEqual([await members(devs), await members(ops)], [['ann'], ['ann', 'bob']])
  const bob = await world.user('bob')
  assert.deepEqual(
    (await identity.get(`/users/${bob.id}/groups`)).body.groups.map((group: Json) => group.name),
    ['ops'],
  )
  assert.equal((await identity.head(`/groups/${ops.id}/users/${bob.id}`)).status, 204)
  assert.equal((await identity.head(`/groups/${devs.id}/users/${bob.id}`)).status, 404)
})

test('whoever the directory knows by password gets a token, by name or id, with the roles of its groups', async (t) => {
  const world = await ldapWorld(t)
  const { cloud } = world
  const unscoped = await signIn(world, 'ann')
  assert.deepEqual([unscoped.status, unscoped.body.token.user.name, unscoped.body.token.methods], [201, 'ann', ['password']])
  const { id } = unscoped.body.token.user
  assert.equal((await cloud.ask({ id, password: 'ann-pw' })).status, 201)
  assert.equal((await signIn(world, 'ANN', 'ann-pw')).body.token.user.id, id)
  const { groups } = (await cloud.admin.identity.get(`/groups?domain_id=${world.domain.id}`)).body
  const { scope } = await withRole(world, `groups/${groups[0].id}`)
  const scoped = await signIn(world, 'ann', 'ann-pw', { scope })
  assert.deepEqual(
    scoped.body.token.roles.map((role: Json) => role.name),
    ['member', 'reader'],
  )
  assert.equal((await signIn(world, 'bob', 'bob-pw', { scope })).status, 401)
  assert.ok(await cloud.isValid(scoped.headers['x-subject-token']!))
})

test('every write is refused, as Keystone refuses it, and asks the directory for nothing', async (t) => {
  const world = await ldapWorld(t)
  const { identity } = world.cloud.admin
  const [ann] = await world.users()
  const [devs] = (await identity.get(`/groups?domain_id=${world.domain.id}`)).body.groups
  const mine = await world.cloud.make('/users', { user: { name: 'mine' } })
  const ours = await world.cloud.make('/groups', { group: { name: 'ours' } })
  const refused: [Promise<Json>, RegExp?][] = [
    [identity.post('/users', { user: { name: 'x', domain_id: world.domain.id } })],
    [identity.patch(`/users/${ann.id}`, { user: { enabled: false } })],
    [identity.delete(`/users/${ann.id}`)],
    [identity.post(`/users/${ann.id}/password`, { user: { original_password: 'ann-pw', password: 'new' } })],
    [identity.post('/groups', { group: { name: 'x', domain_id: world.domain.id } })],
    [identity.patch(`/groups/${devs.id}`, { group: { description: '' } })],
    [identity.delete(`/groups/${devs.id}`)],
    [identity.put(`/groups/${devs.id}/users/${ann.id}`)],
    [identity.put(`/groups/${devs.id}/users/${mine.id}`)],
    [identity.delete(`/groups/${devs.id}/users/${ann.id}`)],
    [identity.put(`/groups/${ours.id}/users/${ann.id}`), /^Group membership across backend boundaries is not allowed/],
  ]
  for (const [answer, message = /^LDAP does not support write operations$/] of refused) {
    const { status, body } = await answer
    assert.deepEqual([status, body.error.title], [403, 'Forbidden'])
    assert.match(body.error.message, message)
  }
  const wrong = await identity.post(`/users/${ann.id}/password`, { user: { original_password: 'no', password: 'new' } })
  assert.equal(wrong.status, 401)
  assert.equal((await world.users())[0].enabled, true)
})

test('OSSA-2021-003: who is unknown, disabled, of two, or wrong hears the same, after as many questions', async (t) => {
  const world = await ldapWorld(t, {
    entries: [
      person('ann'),
      person('off', { enabled: 'FALSE' }),
      person('twin'),
      person('twin2', { uid: 'twin', dn: 'uid=twin,ou=b,ou=people,dc=corp' }),
    ],
    options: { query_scope: 'sub' },
  })
  const answers: string[] = []
  const cases: [string, string][] = [
    ['ann', 'no'],
    ['nobody', 'no'],
    ['off', 'off-pw'],
    ['twin', 'twin-pw'],
    ['*', 'ann-pw'],
    ['a*', 'ann-pw'],
    ['ann)(uid=*', 'ann-pw'],
  ]
  for (const [name, password] of cases) {
    const before = world.directory.tried.length
    const { status, body } = await signIn(world, name, password)
    answers.push(`${status} ${JSON.stringify(body)}`)
    assert.equal(world.directory.tried.length, before + 1, `one password is tried for ${name}`)
  }
  assert.deepEqual([...new Set(answers)].length, 1)
  assert.match(answers[0]!, /^401 .*The request you have made requires authentication/)
})

test('an empty password, which a directory would take for nobody’s, never gets to it', async (t) => {
  const world = await ldapWorld(t, { entries: [person('ann', { password: '' })] })
  assert.equal((await signIn(world, 'ann', '')).status, 401)
  assert.deepEqual(world.directory.tried, [])
})

test('OSSA-2026-007: FALSE in any spelling disables, and so does what is not understood', async (t) => {
  const cases: [Json, Record<string, boolean>][] = [
    [
      {},
      { TRUE: true, True: true, '1': true, FALSE: false, False: false, '0': false, ' false ': false, '512': false, '': false },
    ],
    [
      { user_enabled_invert: true, user_enabled_default: 'False' },
      { TRUE: false, FALSE: true, '0': true, maybe: false },
    ],
    [
      { user_enabled_attribute: 'uac', user_enabled_mask: 2, user_enabled_default: 512 },
      { '512': true, '514': false, x: false },
    ],
  ]
  for (const [options, values] of cases) {
    const attribute = options.user_enabled_attribute ?? 'enabled'
    const entries = Object.keys(values).map((value, at) => person(`u${at}`, { [attribute]: value }))
    const world = await ldapWorld(t, { entries: [...entries, person('silent')], options })
    const shown = Object.fromEntries((await world.users()).map((user) => [user.name, user.enabled]))
    const expected = Object.values(values).map((enabled, at) => [`u${at}`, enabled])
    assert.deepEqual(shown, { ...Object.fromEntries(expected), silent: true }, JSON.stringify(options))
    for (const [name, enabled] of expected)
      assert.equal((await signIn(world, String(name))).status, enabled ? 201 : 401, `${name} ${JSON.stringify(options)}`)
  }
})

test('being enabled may be a group', async (t) => {
  const entries = [person('ann'), person('bob'), team('working', ['ann'])]
  const options = { user_enabled_emulation: true, user_enabled_emulation_dn: 'cn=working,ou=teams,dc=corp' }
  const world = await ldapWorld(t, { entries, options })
  assert.deepEqual(
    (await world.users()).map((user) => [user.name, user.enabled]),
    [
      ['ann', true],
      ['bob', false],
    ],
  )
  assert.deepEqual([(await signIn(world, 'ann')).status, (await signIn(world, 'bob')).status], [201, 401])
  await world.config({ ...options, user_enabled_emulation_dn: 'cn=nobody,ou=teams,dc=corp' })
  assert.equal((await signIn(world, 'ann')).status, 401)
})

test('who is disabled or gone in the directory loses its tokens within five minutes, and gets none meanwhile', async (t) => {
  const world = await ldapWorld(t)
  const { cloud, directory } = world
  const ann = (await signIn(world, 'ann')).headers['x-subject-token']!
  const bob = (await signIn(world, 'bob')).headers['x-subject-token']!
  world.entry('ann')['enabled'] = 'FALSE'
  directory.entries.splice(directory.entries.indexOf(world.entry('bob')), 1)
  assert.deepEqual([await cloud.isValid(ann), await cloud.isValid(bob)], [true, true])
  assert.equal((await signIn(world, 'ann')).status, 401)
  cloud.clock.advance(5 * minute)
  assert.deepEqual([await cloud.isValid(ann), await cloud.isValid(bob)], [false, false])
  assert.deepEqual(
    (await world.users()).map((user) => [user.name, user.enabled]),
    [['ann', false]],
  )
})

test('who leaves a group loses what the group had within five minutes', async (t) => {
  const world = await ldapWorld(t)
  const { groups } = (await world.cloud.admin.identity.get(`/groups?domain_id=${world.domain.id}`)).body
  const { scope } = await withRole(world, `groups/${groups[0].id}`)
  const token = (await signIn(world, 'ann', 'ann-pw', { scope })).headers['x-subject-token']!
  world.directory.entries.find((entry) => entry['cn'] === 'devs')!['member'] = []
  assert.ok(await world.cloud.isValid(token))
  world.cloud.clock.advance(5 * minute)
  assert.equal(await world.cloud.isValid(token), false)
})

test('who comes back to the directory has its id and roles again', async (t) => {
  const world = await ldapWorld(t)
  const ann = await world.user('ann')
  const { scope } = await withRole(world, `users/${ann.id}`)
  const entry = world.entry('ann')
  world.directory.entries.splice(world.directory.entries.indexOf(entry), 1)
  assert.deepEqual(
    (await world.users()).map((user) => user.name),
    ['bob'],
  )
  assert.equal((await world.cloud.admin.identity.get(`/users/${ann.id}`)).status, 404)
  world.directory.entries.push(entry)
  assert.equal((await signIn(world, 'ann', 'ann-pw', { scope })).body.token.user.id, ann.id)
})

test('a name that moved to somebody else is theirs alone', async (t) => {
  const options = { user_id_attribute: 'number' }
  const world = await ldapWorld(t, { entries: [person('ann', { number: '1' }), person('bob', { number: '2' })], options })
  const [ann, bob] = await world.users()
  const [one, two] = [world.entry('ann'), world.entry('bob')]
  one['uid'] = 'bob'
  two['uid'] = 'ann'
  assert.equal((await signIn(world, 'ann', 'bob-pw')).body.token.user.id, bob.id)
  assert.equal((await signIn(world, 'bob', 'ann-pw')).body.token.user.id, ann.id)
  assert.deepEqual(
    (await world.users('&sort_key=name')).map((user) => [user.name, user.id]),
    [
      ['ann', bob.id],
      ['bob', ann.id],
    ],
  )
})

test('two of one name are in no list and get no token', async (t) => {
  const twin = person('ann', { dn: 'uid=ann,ou=b,ou=people,dc=corp', number: '3' })
  const options = { user_id_attribute: 'number', query_scope: 'sub' }
  const entries = [person('ann', { number: '1' }), twin, person('bob', { number: '2' })]
  const world = await ldapWorld(t, { entries, options })
  assert.deepEqual(
    (await world.users()).map((user) => user.name),
    ['bob'],
  )
  assert.equal((await signIn(world, 'ann')).status, 401)
})

test('a directory that is down is 503 for its own domain, and nothing for others', async (t) => {
  const world = await ldapWorld(t)
  const { cloud, directory } = world
  const ann = await world.user('ann')
  const token = (await signIn(world, 'ann')).headers['x-subject-token']!
  directory.isDown = true
  const { identity } = cloud.admin
  const login = await signIn(world, 'ann')
  assert.deepEqual(
    [login.status, login.body.error.message],
    [503, 'The directory of this domain does not answer. Try again later.'],
  )
  assert.equal((await identity.get(`/users?domain_id=${world.domain.id}`)).status, 503)
  assert.equal((await identity.get('/users')).status, 200)
  assert.equal((await cloud.ask({})).status, 201)
  assert.ok(await cloud.isValid(token), 'seen just now')
  cloud.clock.advance(minute)
  assert.equal((await identity.get(`/users/${ann.id}`)).status, 503)
  cloud.clock.advance(5 * minute)
  assert.equal((await identity.get('/auth/tokens', { headers: { 'x-subject-token': token } })).status, 503)
  directory.isDown = false
  assert.ok(await cloud.isValid(token))
  assert.equal((await identity.get(`/users/${ann.id}`)).status, 200)
})

test('an answer that was cut short is no answer: nobody is taken for gone', async (t) => {
  const world = await ldapWorld(t)
  assert.equal((await world.users()).length, 2)
  world.directory.sizeLimit = 1
  const { status, body } = await world.cloud.admin.identity.get(`/users?domain_id=${world.domain.id}`)
  assert.deepEqual([status, body.error.message], [503, 'The directory of this domain gives no more entries than its size limit.'])
  world.directory.sizeLimit = 10
  assert.equal((await world.users()).length, 2)
})

test('a domain with people of its own gets no directory, and one without a directory forgets nobody’s roles', async (t) => {
  const world = await ldapWorld(t)
  const { identity } = world.cloud.admin
  const other = await world.cloud.make('/domains', { domain: { name: 'own' } })
  const own = await world.cloud.make('/users', { user: { name: 'own', domain_id: other.id } })
  const config = { identity: { driver: 'ldap' } }
  const refused = await identity.put(`/domains/${other.id}/config`, { config })
  assert.deepEqual([refused.status, (await identity.get(`/domains/${other.id}/config`)).status], [403, 404])
  assert.match(refused.body.error.message, /^Invalid domain specific configuration: The domain has users or groups of its own/)
  assert.equal((await identity.get(`/users/${own.id}`)).status, 200)

  const ann = await world.user('ann')
  const { scope } = await withRole(world, `users/${ann.id}`)
  const token = (await signIn(world, 'ann', 'ann-pw', { scope })).headers['x-subject-token']!
  assert.equal((await identity.delete(`/domains/${world.domain.id}/config`)).status, 204)
  assert.deepEqual([await world.cloud.isValid(token), (await signIn(world, 'ann')).status], [false, 401])
  assert.deepEqual(await world.users(), [])
  await world.config({})
  assert.equal((await signIn(world, 'ann', 'ann-pw', { scope })).status, 201)
})

test('an option that makes no sense is named to administrators, and its value to nobody', async (t) => {
  const world = await ldapWorld(t)
  const cases: [Json, RegExp][] = [
    [{ url: 'https://corp' }, /ldap\.url is no list/],
    [{ url: 'ldaps://corp', use_tls: true }, /ldap\.url is no list/],
    [{ query_scope: 'all' }, /ldap\.query_scope is none of one, sub/],
    [{ page_size: 'many' }, /ldap\.page_size is no whole number/],
    [{ user_enabled_invert: 'maybe' }, /ldap\.user_enabled_invert is neither/],
    [{ user_id_attribute: null }, /ldap\.user_id_attribute is missing/],
    [{ user_additional_attribute_mapping: ['x:enabled'] }, /ldap\.user_additional_attribute_mapping/],
    [{ password: null }, /ldap\.user has no password/],
  ]
  for (const [options, message] of cases) {
    assert.equal((await world.config(options)).status, 200)
    const { status, body } = await world.cloud.admin.identity.get(`/users?domain_id=${world.domain.id}`)
    assert.equal(status, 503)
    assert.match(body.error.message, message)
  }
})

test('trusts, application credentials and system roles work for users of a directory, as long as they are there', async (t) => {
  const world = await ldapWorld(t)
  const { cloud } = world
  const ann = await world.user('ann')
  const { scope } = await withRole(world, `users/${ann.id}`)
  const mine = await cloud.signIn({ name: 'ann', password: 'ann-pw', domain: world.domain.id, scope })
  const made = await mine.identity.post(`/users/${ann.id}/application_credentials`, {
    application_credential: { name: 'robot', secret: 's3cret' },
  })
  assert.equal(made.status, 201)
  const { id } = made.body.application_credential
  const auth = { identity: { methods: ['application_credential'], application_credential: { id, secret: 's3cret' } } }
  const anyone = cloud.withToken(undefined).identity
  const login = async () => (await anyone.post('/auth/tokens', { auth })).status
  assert.equal(await login(), 201)
  world.entry('ann')['enabled'] = 'FALSE'
  cloud.clock.advance(5 * minute)
  assert.equal(await login(), 401)
  world.entry('ann')['enabled'] = 'TRUE'
  cloud.clock.advance(5 * minute)
  assert.equal(await login(), 201)
})

test('OSSA-2015-008: no password, of a person or of the cloud’s own, is kept or logged', async (t) => {
  const lines: string[] = []
  const world = await ldapWorld(t, { log: openLog({ level: 'debug', write: (line) => lines.push(line) }) })
  await signIn(world, 'ann')
  await signIn(world, 'ann', 'not-hers-pw')
  world.directory.isDown = true
  await signIn(world, 'ann')
  const { db } = world.cloud.cloud
  const tables = ['identity_user', 'identity_domain_option', 'identity_password_history', 'identity_credential']
  const rows = await Promise.all(
    tables.map((table) =>
      db.read
        .selectFrom(table as never)
        .selectAll()
        .execute(),
    ),
  )
  const kept = JSON.stringify(rows) + lines.join('\n')
  assert.match(lines.join(''), /something needed does not work/)
  for (const secret of ['ann-pw', 'not-hers-pw', 'swordfish']) assert.ok(!kept.includes(secret), secret)
  assert.equal(world.directory.connections[0]!.bind!.password, 'swordfish')
  const shown = await world.cloud.admin.identity.get(`/domains/${world.domain.id}/config`)
  assert.ok(!JSON.stringify(shown.body).includes('swordfish'))
})

test('a user that is asked for again and again is looked up every ten seconds only', async (t) => {
  const world = await ldapWorld(t)
  const { identity } = world.cloud.admin
  const ann = await world.user('ann')
  const asked = () => world.directory.asked.length
  const before = asked()
  for (let at = 0; at < 5; at++) await identity.get(`/users/${ann.id}`)
  assert.equal(asked(), before)
  world.entry('ann')['mail'] = 'new@corp.example'
  world.cloud.clock.advance(10 * second)
  assert.equal((await identity.get(`/users/${ann.id}`)).body.user.email, 'new@corp.example')
  assert.equal(asked(), before + 1)
})

test('a domain with a directory is deleted like any other', async (t) => {
  const world = await ldapWorld(t)
  await world.users()
  world.directory.isDown = true
  const { identity } = world.cloud.admin
  await identity.patch(`/domains/${world.domain.id}`, { domain: { enabled: false } })
  assert.equal((await identity.delete(`/domains/${world.domain.id}`)).status, 204)
  assert.deepEqual((await identity.get('/users?name=ann')).body.users, [])
})

test('a crowd of requests with one token makes one look at the directory', async (t) => {
  const world = await ldapWorld(t)
  const token = (await signIn(world, 'ann')).headers['x-subject-token']!
  world.cloud.clock.advance(5 * minute)
  const before = world.directory.asked.length
  const valid = await Promise.all(Array.from({ length: 30 }, () => world.cloud.isValid(token)))
  assert.ok(valid.every(Boolean))
  assert.equal(world.directory.asked.length, before + 2, 'the user and its groups')
})
