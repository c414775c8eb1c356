import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEnabled } from './enabled.ts'
import { publicId } from './public-id.ts'
import { directorySettings } from './settings.ts'

test('options left out are Keystone’s defaults', () => {
  const { connection, users, groups } = directorySettings({ suffix: 'dc=x' })
  assert.deepEqual(connection, {
    servers: [{ host: 'localhost', port: 389, tls: 'none' }],
    bind: undefined,
    caFile: undefined,
    caFolder: undefined,
    verify: true,
  })
  assert.deepEqual(
    [users.base, users.objectClass, users.id, users.name, users.scope, users.defaultProject],
    ['ou=Users,dc=x', 'inetOrgPerson', 'cn', 'sn', 'one', undefined],
  )
  assert.deepEqual(users.enabled, { by: 'word', attribute: 'enabled', invert: false, missing: 'True' })
  assert.deepEqual([groups.base, groups.objectClass, groups.id, groups.name], ['ou=UserGroups,dc=x', 'groupOfNames', 'cn', 'ou'])
})

test('options may come as texts', () => {
  const { connection, users } = directorySettings({
    use_tls: 'True',
    tls_req_cert: 'never',
    page_size: '100',
    user_enabled_mask: '2',
    user_enabled_attribute: 'userAccountControl',
    user_enabled_default: 512,
    user_attribute_ignore: 'email, description',
    user_additional_attribute_mapping: 'telephoneNumber:phone,l:city',
  })
  assert.deepEqual([connection.servers[0]!.tls, connection.verify, users.pageSize], ['starttls', false, 100])
  assert.deepEqual(users.enabled, { by: 'mask', attribute: 'userAccountControl', mask: 2, missing: '512' })
  assert.deepEqual([users.mail, users.description], [undefined, undefined])
  assert.deepEqual(users.extra, [
    ['telephoneNumber', 'phone'],
    ['l', 'city'],
  ])
})

test('what ignores the attribute enables everybody', () => {
  const { users } = directorySettings({ user_attribute_ignore: ['enabled'] })
  assert.deepEqual(users.enabled, { by: 'nothing' })
  assert.ok(isEnabled({ by: 'nothing' }, { dn: 'cn=x', values: { enabled: ['FALSE'] } }))
})

test('OSSA-2026-007: of several values all must say that somebody is enabled', () => {
  const rule = { by: 'word', attribute: 'enabled', invert: false, missing: 'True' } as const
  const says = (...enabled: string[]) => isEnabled(rule, { dn: 'cn=x', values: { enabled } })
  assert.deepEqual([says(), says('TRUE'), says('TRUE', 'FALSE'), says('FALSE')], [true, true, false, false])
  const mask = { by: 'mask', attribute: 'enabled', mask: 2, missing: '512' } as const
  const bits = (...enabled: string[]) => isEnabled(mask, { dn: 'cn=x', values: { enabled } })
  assert.deepEqual([bits(), bits('512'), bits('66050'), bits('-2147483646'), bits('0x200')], [true, true, false, false, false])
})

test('ids are those that Keystone makes of the same entry', () => {
  // By keystone 22.0's own generator (identity/id_generators/sha256.py), for these three values.
  assert.equal(publicId('default', 'user', 'ann'), 'a2d27fc74a2f61b3a64815e71dad383e0c9e2d6e5678a4a385ed076e6d0041d8')
  assert.notEqual(publicId('default', 'user', 'ann'), publicId('default', 'group', 'ann'))
})
