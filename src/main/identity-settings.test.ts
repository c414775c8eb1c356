import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../test/cloud.ts'
import { openValidators } from '../kit/http/validate.ts'
import { identityConfig, identitySettings } from './identity-settings.ts'

test('the section identity of the configuration becomes settings, and what does not fit is refused', () => {
  const config = { passwordRules: { lockoutFailureAttempts: 2, passwordRegex: '.{8}' }, limitModel: 'strict_two_level' } as const
  const { check } = openValidators()
  assert.equal(check(identityConfig, config, 'body'), undefined)
  for (const wrong of [
    { other: 1 },
    { limitModel: 'x' },
    { passwordRules: { lockoutFailureAttempts: 0 } },
    { passwordRules: { length: 8 } },
  ])
    assert.ok(check(identityConfig, wrong, 'body'), JSON.stringify(wrong))
  assert.deepEqual(identitySettings(config, ['key']), { ...config, credentialKeys: ['key'] })
  assert.deepEqual(identitySettings({}, undefined), {})
  assert.throws(() => identitySettings({ passwordRules: { passwordRegex: '(' } }, undefined))
})

test('password rules of the configuration are obeyed', async (t) => {
  const settings = identitySettings(
    { passwordRules: { passwordRegex: '.{8}', passwordRegexDescription: 'eight letters' } },
    undefined,
  )
  const { admin } = await testCloud(t, { identity: true, identitySettings: settings })
  const make = (password: string) => admin.identity.post('/users', { user: { name: 'u', password } })
  const short = await make('short')
  assert.equal(short.status, 400)
  assert.match(short.body.error.message, /eight letters/)
  assert.equal((await make('long enough')).status, 201)
})
