import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from './caller.ts'
import { openPolicy } from './policy.ts'

const caller: Caller = {
  userId: 'u1',
  userName: 'ann',
  userDomainId: 'default',
  projectId: 'p1',
  projectName: 'demo',
  projectDomainId: 'default',
  domainId: undefined,
  system: false,
  roles: ['Member'],
  methods: ['password'],
  delegation: undefined,
  auditIds: ['a'],
  expiresAt: 0,
}

const may = (check: string, target: Record<string, unknown> = {}, who: Caller = caller) =>
  openPolicy([
    { name: 'it', check },
    { name: 'admin', check: 'role:admin' },
    { name: 'loop', check: 'rule:loop' },
  ]).allows('it', who, target)

test('roles, and, or, not and parentheses read as oslo.policy reads them', () => {
  assert.ok(may('role:member'))
  assert.ok(!may('role:admin or (role:member and not role:member)'))
  assert.ok(may('(role:member and project_id:%(project_id)s) or rule:admin', { project_id: 'p1' }))
  assert.ok(!may('(role:member and project_id:%(project_id)s) or rule:admin', { project_id: 'p2' }))
  assert.ok(may(''))
  assert.ok(may('@'))
  assert.ok(!may('!'))
})

test('what is not known never allows', () => {
  assert.ok(!may('rule:missing'))
  assert.ok(!may('rule:loop'))
  assert.ok(!may('project_id:%(no_such)s'))
  assert.ok(!may('nothing:%(project_id)s', { project_id: undefined }))
  assert.ok(!openPolicy([]).allows('absent', caller, {}))
})

test('literals and fields compare with the target', () => {
  assert.ok(may("'public':%(visibility)s", { visibility: 'public' }))
  assert.ok(may('field:networks:shared=True', { shared: true }))
  assert.ok(!may('field:networks:shared=True', { shared: false }))
  assert.ok(may('field:port:device_owner=~^network:', { device_owner: 'network:dhcp' }))
  assert.ok(!may('field:port:device_owner=~^network:', { device_owner: 'compute:network:' }))
  assert.ok(!may('field:port:device_owner=~^network:', {}))
  assert.ok(may('None:%(domain_id)s', { domain_id: null }))
  assert.ok(may('user_id:%(target.user.id)s', { target: { user: { id: 'u1' } } }))
})

test('a token of another scope is refused whatever its roles are', () => {
  const policy = openPolicy([{ name: 'it', check: 'role:member', scopes: ['project'] }])
  assert.ok(policy.allows('it', caller, {}))
  assert.ok(!policy.allows('it', { ...caller, projectId: undefined, system: true }, {}))
})

test('only a rule that says None itself matches a caller without the attribute', () => {
  const policy = openPolicy([
    { name: 'scoped', check: 'not domain_id:None' },
    { name: 'same', check: 'domain_id:%(target.user.domain_id)s' },
    { name: 'token', check: 'token.domain.id:%(target.user.domain_id)s' },
  ])
  const none = { target: { user: { domain_id: null } } }
  assert.equal(policy.allows('scoped', caller, {}), false)
  assert.equal(policy.allows('same', caller, none), false)
  assert.equal(policy.allows('token', caller, none), false)
  const inDomain = { ...caller, domainId: 'd1', projectId: undefined }
  assert.equal(policy.allows('scoped', inDomain, {}), true)
  for (const rule of ['same', 'token'])
    assert.equal(policy.allows(rule, inDomain, { target: { user: { domain_id: 'd1' } } }), true)
})
