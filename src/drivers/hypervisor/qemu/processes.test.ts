import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guestOf } from './processes.ts'

test('a process is known as a guest of ours by the pid file on its command line', () => {
  assert.equal(guestOf(['qemu', '-S', '-pidfile', '/s/guests/abc/pid'], '/s'), 'abc')
  assert.equal(guestOf(['qemu', '-pidfile', '/other/guests/abc/pid'], '/s'), undefined)
  assert.equal(guestOf(['qemu', '-pidfile', '/s/guests/a/b/pid'], '/s'), undefined)
  assert.equal(guestOf(['qemu', '-pidfile'], '/s'), undefined)
  assert.equal(guestOf(['/s/guests/abc/pid'], '/s'), undefined)
  assert.equal(guestOf([], '/s'), undefined)
})
