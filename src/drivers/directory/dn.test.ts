import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeDnValue, namedValue, normalDn, parseDn } from './dn.ts'

test('names are taken apart as RFC 4514 writes them', () => {
  assert.deepEqual(parseDn('UID=jsmith,DC=example,DC=net'), [
    [{ type: 'uid', value: 'jsmith' }],
    [{ type: 'dc', value: 'example' }],
    [{ type: 'dc', value: 'net' }],
  ])
  assert.deepEqual(parseDn('OU=Sales+CN=J.  Smith')![0]!.length, 2)
  assert.equal(namedValue('CN=James \\"Jim\\" Smith\\, III,DC=x', 'cn'), 'James "Jim" Smith, III')
  assert.equal(namedValue('CN=Before\\0dAfter,DC=x', 'cn'), 'Before\rAfter')
  assert.equal(namedValue('CN=Lu\\C4\\8Di\\C4\\87', 'cn'), 'Lučić')
  assert.equal(namedValue('cn=  spaced  , dc=x', 'cn'), 'spaced')
  assert.equal(namedValue('cn=kept\\ ,dc=x', 'cn'), 'kept ')
  assert.deepEqual(parseDn(''), [])
  for (const text of ['cn', '=x', 'cn=a,', 'cn=a\\', 'cn=a\\z', 'a b=c']) assert.equal(parseDn(text), undefined, text)
})

test('names of one entry are the same, whatever their case, spaces and order', () => {
  const same = ['cn=Ann  Lee,OU=People,dc=x', 'CN=ann lee, ou=people , DC=X', 'cn=\\61nn lee,ou=people,dc=x']
  assert.equal(new Set(same.map(normalDn)).size, 1)
  assert.equal(normalDn('cn=a+uid=b,dc=x'), normalDn('UID=b+CN=a,dc=x'))
  assert.notEqual(normalDn('cn=a,cn=b,dc=x'), normalDn('cn=a\\,cn=b,dc=x'))
})

test('any value comes back from a name', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1 }),
      (value) => namedValue(`cn=${escapeDnValue(value)},dc=x`, 'cn') === value,
    ),
  )
})
