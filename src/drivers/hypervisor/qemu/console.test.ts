import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { boundConsole, readConsole } from './console.ts'
import { placeOf } from './place.ts'

async function guestPlace(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'console-'))
  t.after(() => rm(dir, { recursive: true }))
  const place = placeOf(dir, 'g')
  await mkdir(place.dir, { recursive: true })
  return place
}

test('a guest that never spoke has an empty console', async (t) => {
  assert.equal(await readConsole(await guestPlace(t), 100), '')
})

test('a console that grows is cut, and its end is still read across the cut', async (t) => {
  const place = await guestPlace(t)
  await appendFile(place.consoleLog, `${'x'.repeat(3 << 20)}END`)
  await boundConsole(place)
  assert.equal((await stat(place.consoleLog)).size, 0)
  await appendFile(place.consoleLog, 'new')
  assert.equal(await readConsole(place, 7), 'xENDnew')
  assert.equal(await readConsole(place, 2), 'ew')
  await boundConsole(place)
  assert.equal(await readConsole(place, 3), 'new')
})
