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
