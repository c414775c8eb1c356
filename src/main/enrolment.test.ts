import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, minute } from '../kit/clock.ts'
import { migrate } from '../kit/db/migrate.ts'
import { openDb } from '../kit/db/open.ts'
import { enrolmentMigrations, openEnrolment } from './enrolment.ts'

test('a token lets one host join once and within an hour; its key is good until it is forgotten', async (t) => {
  const clock = fakeClock()
  const db = await openDb(':memory:')
  t.after(() => db.close())
  await migrate(db, clock, enrolmentMigrations)
  const enrolment = openEnrolment(db, clock)
  const token = await enrolment.invite('h1')
  await assert.rejects(enrolment.join('h2', token), /wrong, used, or too old/)
  const key = await enrolment.join('h1', token)
  await assert.rejects(enrolment.join('h1', token), /wrong, used, or too old/)
  assert.ok(await enrolment.isKey('h1', key))
  assert.ok(!(await enrolment.isKey('h2', key)))
  assert.ok(!(await enrolment.isKey('h1', '')))
  const late = await enrolment.invite('h1')
  assert.ok(await enrolment.isKey('h1', key), 'an invitation takes no key away')
  clock.advance(61 * minute)
  await assert.rejects(enrolment.join('h1', late), /too old/)
  await enrolment.forget('h1')
  assert.ok(!(await enrolment.isKey('h1', key)))
})
