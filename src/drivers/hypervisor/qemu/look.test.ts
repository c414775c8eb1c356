import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateOf } from './look.ts'

test('a guest that powered itself off has ended, one that waits may go on, one that broke has crashed', () => {
  assert.equal(stateOf('running'), 'on')
  assert.equal(stateOf('shutdown'), 'ended')
  assert.deepEqual(['paused', 'prelaunch', 'io-error', 'postmigrate'].map(stateOf as (run: string) => string), [
    'paused',
    'paused',
    'paused',
    'paused',
  ])
  assert.deepEqual(['guest-panicked', 'internal-error', 'inmigrate'].map(stateOf as (run: string) => string), [
    'crashed',
    'crashed',
    'crashed',
  ])
})
