import assert from 'node:assert/strict'
import { test } from 'node:test'
import { show } from './altostack.ts'

test('an explanation tells what it is, and its life with the reasons below each change', () => {
  assert.deepEqual(
    show({
      summary: ['Server web is in ERROR.'],
      life: [
        {
          at: '2026-01-01T00:00:00Z',
          what: 'place -> error: No valid host was found.',
          detail: ['host-1: not enough memory'],
          request: 'req-1',
        },
      ],
    }),
    [
      'Server web is in ERROR.',
      '',
      '2026-01-01T00:00:00Z  place -> error: No valid host was found.  [req-1]',
      '                      host-1: not enough memory',
    ],
  )
})
