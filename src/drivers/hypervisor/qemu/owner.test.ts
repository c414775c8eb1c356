import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerOf } from './owner.ts'

const whole = '         0          0 4294967295\n'

test('each guest has its own number, always the same', () => {
  assert.equal(ownerOf('a', whole), ownerOf('a', whole))
  assert.notEqual(ownerOf('a', whole), ownerOf('b', whole))
  assert.match(`${ownerOf('a', whole)}`, /^(\d{10}):\1$/)
})

test('in a container without such numbers it is nobody, and without that none', () => {
  assert.equal(ownerOf('a', ' 0 100000 65536\n'), '65534:65534')
  assert.equal(ownerOf('a', ' 0 1000 1\n'), undefined)
})
