import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineSplitter } from './framing.ts'

test('messages come out whole, however the stream was cut', () => {
  const split = lineSplitter()
  assert.deepEqual(split('{"a":'), [])
  assert.deepEqual(split('1}\r\n{"b":2}\n{"c"'), ['{"a":1}', '{"b":2}'])
  assert.deepEqual(split(':3}\r\n'), ['{"c":3}'])
})

test('a message without end is refused', () => {
  const split = lineSplitter()
  assert.throws(() => split('x'.repeat(17 << 20)), /without end/)
})
