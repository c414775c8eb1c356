import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase32, isTotpCode, totpCode } from './totp.ts'

const key = Buffer.from('12345678901234567890')

test('codes are those of RFC 6238, appendix B, cut to six digits', () => {
  const expected: [number, string][] = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
  ]
  for (const [seconds, code] of expected) assert.equal(totpCode(key, seconds), code)
})

test('a code is good in its half minute and the next', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  assert.deepEqual(fromBase32(secret), key)
  assert.ok(isTotpCode(secret, '287082', 59))
  assert.ok(isTotpCode(`${secret}====`, '287082', 60))
  assert.ok(!isTotpCode(secret, '287082', 90))
  assert.ok(!isTotpCode(secret, '287082', 29))
  for (const code of ['', '28708', '2870820', 'abcdef', '287083']) assert.ok(!isTotpCode(secret, code, 59), code)
})

test('a secret that is not base32 has no codes', () => {
  for (const secret of ['', '====', 'gezd', 'A1', '{"a":1}']) assert.ok(!isTotpCode(secret, '287082', 59), secret)
})
