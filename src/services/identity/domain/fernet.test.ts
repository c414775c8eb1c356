import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newFernetKey, openFernet, sealFernet } from './fernet.ts'
import { pack, unpack } from './msgpack.ts'
import { type Payload, packPayload, unpackPayload } from './payload.ts'

const text = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA'
const key = Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64')

test('the specification’s own example is sealed and opened', () => {
  const iv = Buffer.from([...Array(16).keys()])
  const seconds = Date.parse('1985-10-26T01:20:00-07:00') / 1000
  assert.equal(sealFernet(key, Buffer.from('hello'), seconds, iv), text)
  for (const token of [text, `${text}==`]) {
    const opened = openFernet([newFernetKey(), key], token)
    assert.equal(opened?.content.toString(), 'hello')
    assert.equal(opened?.seconds, seconds)
  }
})

test('a changed byte, another key or half a token open nothing', () => {
  assert.equal(openFernet([newFernetKey()], text), undefined)
  assert.equal(openFernet([key], ''), undefined)
  assert.equal(openFernet([key], `${text}!`), undefined)
  const bytes = Buffer.from(text, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const other = Buffer.from(bytes)
    other[at]! ^= 1
    assert.equal(openFernet([key], other.toString('base64url')), undefined)
    assert.equal(openFernet([key], bytes.subarray(0, at).toString('base64url')), undefined)
  }
})

test('whatever is packed is unpacked, and other bytes are refused', () => {
  const packed = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.nat(),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.boolean(),
      fc.string({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.array(tie('value'), { maxLength: 15 }),
    ),
  })).value
  fc.assert(fc.property(packed, (value) => assert.deepEqual(unpack(pack(value as never)), value)))
  for (const bytes of [[], [0x91], [0xc4, 5, 1], [1, 1], [0xc1], [0xcf, 0]]) assert.throws(() => unpack(Buffer.from(bytes)))
})

test('a payload keeps ids, scope, methods and microseconds; a hex id takes half its room', () => {
  const scopes = [
    { kind: 'unscoped' },
    { kind: 'system' },
    { kind: 'project', id: 'ab'.repeat(16) },
    { kind: 'domain', id: 'default' },
  ] as const
  for (const scope of scopes) {
    const payload: Payload = {
      userId: '0f'.repeat(16),
      methods: ['password', 'token'],
      scope,
      issuedAt: 1_767_225_600_123_456,
      expiresAt: 1_767_229_200_123_456,
      generation: 77,
      auditIds: [Buffer.alloc(16, 7).toString('base64url')],
    }
    const bytes = packPayload(payload)
    assert.deepEqual(unpackPayload(bytes), payload)
    assert.ok(bytes.length < 99, `${bytes.length} bytes`)
  }
})
