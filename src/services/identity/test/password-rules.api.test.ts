import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../test/cloud.ts'
import { day, minute } from '../../../kit/clock.ts'
import { type IdentityCloud, identityCloud, newMember } from './signing-in.ts'

const change = (cloud: IdentityCloud, id: string, original_password: string, password: string) =>
  cloud.withToken(undefined).identity.post(`/users/${id}/password`, { user: { original_password, password } })
const set = (cloud: IdentityCloud, id: string, user: object) => cloud.admin.identity.patch(`/users/${id}`, { user })

test('OSSA-2021-003: unknown, wrong, locked and disabled get the same answer', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { lockoutFailureAttempts: 3 } })
  const [locked, disabled, plain] = [
    await newMember(cloud),
    await newMember(cloud, { name: 'bob' }),
    await newMember(cloud, { name: 'eve' }),
  ]
  for (let at = 0; at < 3; at++) await cloud.ask({ ...locked.sign, password: 'wrong' })
  await set(cloud, disabled.user.id, { enabled: false })
  const answers = [
    await cloud.ask({ name: 'nobody' }),
    await cloud.ask({ ...plain.sign, password: 'wrong' }),
    await cloud.ask(locked.sign),
    await cloud.ask(disabled.sign),
  ]
  for (const { status, body } of answers) assert.deepEqual([status, body], [401, answers[0]!.body])
})

test('too many wrong passwords lock for a while, also when they come at once; an administrator unlocks', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { lockoutFailureAttempts: 3, lockoutDurationSeconds: 600 } })
  const { user, sign } = await newMember(cloud)
  const status = async (password: string) => (await cloud.ask({ ...sign, password })).status
  for (const password of ['a', 'b']) await status(password)
  assert.equal(await status('pw'), 201, 'two wrong ones do not lock, and a right one starts again')
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(status))
  assert.equal(await status('pw'), 401)
  cloud.clock.advance(11 * minute)
  assert.equal(await status('pw'), 201)
  for (const password of ['a', 'b', 'c']) await status(password)
  assert.equal(await status('pw'), 401)
  await set(cloud, user.id, { enabled: true })
  assert.equal(await status('pw'), 201)
  await set(cloud, user.id, { options: { ignore_lockout_failure_attempts: true } })
  for (const password of ['a', 'b', 'c', 'd']) await status(password)
  assert.equal(await status('pw'), 201)
})

test('passwords end after so many days, and who has one that ended may choose another', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { passwordExpiresDays: 30 } })
  const { user, sign } = await newMember(cloud)
  const shown = (await cloud.admin.identity.get(`/users/${user.id}`)).body.user
  assert.match(shown.password_expires_at, /^2026-01-31T/)
  cloud.clock.advance(31 * day)
  const late = await cloud.ask(sign)
  assert.deepEqual(
    [late.status, late.body.error.message],
    [401, `The password is expired and needs to be changed for user: ${user.id}.`],
  )
  assert.doesNotMatch((await cloud.ask({ ...sign, password: 'wrong' })).body.error.message, /expired/)
  assert.equal((await change(cloud, user.id, 'pw', 'pw2')).status, 204)
  assert.equal((await cloud.ask({ ...sign, password: 'pw2' })).status, 201)
  const forever = { name: 'bot', password: 'pw', options: { ignore_password_expiry: true } }
  assert.equal((await cloud.make('/users', { user: forever })).password_expires_at, null)
})

test('a password that somebody else set is good for choosing one', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { changePasswordUponFirstUse: true } })
  const { user, sign } = await newMember(cloud)
  assert.equal((await cloud.ask(sign)).status, 401)
  assert.equal((await change(cloud, user.id, 'pw', 'own')).status, 204)
  assert.equal((await cloud.ask({ ...sign, password: 'own' })).status, 201)
  await set(cloud, user.id, { password: 'reset' })
  assert.equal((await cloud.ask({ ...sign, password: 'reset' })).status, 401)
  await set(cloud, user.id, { options: { ignore_change_password_upon_first_use: true }, password: 'reset' })
  assert.equal((await cloud.ask({ ...sign, password: 'reset' })).status, 201)
})

test('the last passwords are not taken again, and a chosen one is kept for a while', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { uniqueLastPasswordCount: 2, minimumPasswordAgeDays: 1 } })
  const { user } = await newMember(cloud)
  const { id } = user
  assert.equal((await change(cloud, id, 'pw', 'pw')).status, 400)
  assert.equal((await change(cloud, id, 'pw', 'one')).status, 204)
  const early = await change(cloud, id, 'one', 'two')
  assert.deepEqual([early.status, /minimum password age/.test(early.body.error.message)], [400, true])
  cloud.clock.advance(day)
  assert.equal((await change(cloud, id, 'one', 'pw')).status, 400)
  assert.equal((await change(cloud, id, 'one', 'two')).status, 204)
  cloud.clock.advance(day)
  assert.equal((await change(cloud, id, 'two', 'pw')).status, 204)
  const rows = await cloud.cloud.db.read
    .selectFrom('identity_password_history' as never)
    .where('user_id' as never, '=', id as never)
    .selectAll()
    .execute()
  assert.equal(rows.length, 2)
})

test('a password that does not match the pattern is refused in the operator’s words, which anybody may read', async (t) => {
  const passwordRules = { passwordRegex: '^(?=.*\\d).{7,}$', passwordRegexDescription: 'seven letters and a digit' }
  const cloud = await identityCloud(t, { passwordRules })
  const refused = await cloud.admin.identity.post('/users', { user: { name: 'x', password: 'short' } })
  assert.deepEqual(
    [refused.status, refused.body.error.message],
    [400, 'The password does not match the requirements: seven letters and a digit.'],
  )
  const user = await cloud.make('/users', { user: { name: 'x', password: 'longenough1' } })
  assert.equal((await change(cloud, user.id, 'longenough1', 'short')).status, 400)
  const at = '/domains/default/config/security_compliance'
  const { config } = (await cloud.reader.identity.get(at)).body
  assert.deepEqual(config.security_compliance, {
    password_regex: passwordRules.passwordRegex,
    password_regex_description: passwordRules.passwordRegexDescription,
  })
  assert.equal((await cloud.reader.identity.get(`${at}/password_regex`)).body.config.password_regex, passwordRules.passwordRegex)
  assert.equal((await cloud.reader.identity.get(`${at}/lockout_duration`)).status, 403)
  assert.equal((await cloud.reader.identity.get(at.replace('default', 'other'))).status, 403)
})

test('who does not log in for so many days is disabled, until an administrator enables again', async (t) => {
  const cloud = await identityCloud(t, { passwordRules: { disableUserAccountDaysInactive: 90 } })
  const { user, sign } = await newMember(cloud)
  cloud.clock.advance(80 * day)
  assert.equal((await cloud.ask(sign)).status, 201)
  cloud.clock.advance(80 * day)
  assert.equal((await cloud.ask(sign)).status, 201)
  cloud.clock.advance(91 * day)
  assert.equal((await cloud.ask(sign)).status, 401)
  assert.equal((await cloud.admin.identity.get(`/users/${user.id}`)).body.user.enabled, false)
  await set(cloud, user.id, { enabled: true })
  assert.equal((await cloud.ask(sign)).status, 201)
})

test('without rules any password does, for ever', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  for (let at = 0; at < 10; at++) await cloud.ask({ ...sign, password: 'wrong' })
  cloud.clock.advance(1000 * day)
  assert.equal((await cloud.ask(sign)).status, 201)
  assert.equal((await change(cloud, user.id, 'pw', 'pw')).status, 204)
})

test('who comes from another cloud with a hash of bcrypt logs in, and has one of our own from then on', async (t) => {
  const cloud = await identityCloud(t)
  const { user, sign } = await newMember(cloud)
  const hashOf = async () => {
    const query = cloud.cloud.db.read.selectFrom('identity_user' as never).select('password_hash' as never)
    return ((await query.where('id' as never, '=', user.id as never).executeTakeFirstOrThrow()) as Json).password_hash
  }
  const imported = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
  const put = () =>
    cloud.cloud.db.transaction((tx) =>
      tx
        .updateTable('identity_user' as never)
        .set({ password_hash: imported } as never)
        .where('id' as never, '=', user.id as never)
        .execute(),
    )
  await put()
  assert.equal((await cloud.ask({ ...sign, password: 'pw' })).status, 401)
  assert.equal(await hashOf(), imported)
  assert.equal((await cloud.ask({ ...sign, password: 'U*U' })).status, 201)
  assert.match(await hashOf(), /^\$argon2id\$/)
  assert.equal((await cloud.ask({ ...sign, password: 'U*U' })).status, 201)
  await put()
  assert.equal((await change(cloud, user.id, 'U*U', 'new')).status, 204)
  assert.equal((await cloud.ask({ ...sign, password: 'new' })).status, 201)
})
