import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from '../errors.ts'
import { openPasswords } from './password.ts'

test('a password matches its own hash only, and nobody’s hash never', async () => {
  const passwords = openPasswords('weak')
  const hash = await passwords.hash('right')
  assert.match(hash, /^\$argon2id\$/)
  assert.notEqual(hash, await passwords.hash('right'))
  assert.equal(await passwords.matches('right', hash), true)
  assert.equal(await passwords.matches('wrong', hash), false)
  assert.equal(await passwords.matches('right', undefined), false)
  assert.equal(await passwords.matches('', ''), false)
  assert.equal(await passwords.matches('nobody has this password', undefined), false)
  assert.equal(await passwords.matches('right', 'no hash at all'), false)
})

test('the strong hash costs what OWASP recommends', async () => {
  assert.match(await openPasswords('strong').hash('x'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('when too many wait, the next is turned away and the others are served', async () => {
  const passwords = openPasswords('weak', 1, 3)
  const hashes = await Promise.allSettled(Array.from({ length: 6 }, (_, at) => passwords.hash(`${at}`)))
  const refused = hashes.filter((one) => one.status === 'rejected')
  assert.equal(refused.length, 2)
  for (const one of refused) assert.ok(isProblem(one.reason, 'unavailable'))
  assert.match(await passwords.hash('later'), /^\$argon2id/)
})

test('hashes of bcrypt, as Keystone makes them, are known, and said to be outdated', async () => {
  const passwords = openPasswords('weak')
  // The vector of the original bcrypt's test suite, in the spellings of its versions.
  const hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
  for (const version of ['2a', '2b', '2y']) {
    const spelled = hash.replace('2a', version)
    assert.equal(await passwords.matches('U*U', spelled), true)
    assert.equal(await passwords.matches('U*V', spelled), false)
    assert.ok(passwords.isOutdated(spelled))
  }
  const long = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'
  const text = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
  assert.equal(await passwords.matches(text, long), true)
  assert.equal(await passwords.matches(`${text}chars after 72 are ignored`, long), true)
  assert.equal(await passwords.matches('x', '$2b$12$broken'), false)
  assert.ok(!passwords.isOutdated(await passwords.hash('x')))
})
