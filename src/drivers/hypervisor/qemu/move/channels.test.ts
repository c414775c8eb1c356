import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isProblem } from '../../../../kit/errors.ts'
import { placeOf } from '../place.ts'
import { dropMoveFiles, freePorts, isWordSaid, writeMoveFiles } from './channels.ts'

test('two ports nobody has are found', async (t) => {
  const [one, two] = await freePorts('127.0.0.1')
  assert.notEqual(one, two)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(one, '127.0.0.1', resolve))
  t.after(() => server.close())
  for (let n = 0; n < 20; n++) assert.ok(!(await freePorts('127.0.0.1')).includes(one))
})

test('an address that is not this host’s is an error', async () => {
  await assert.rejects(freePorts('192.0.2.1'), { code: 'EADDRNOTAVAIL' })
})

test('the key is for its reader only, the word is not said, and both can be dropped', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'move-'))
  t.after(() => rm(dir, { recursive: true }))
  const place = { ...placeOf(dir, 'a'), moveDir: join(dir, 'm'), moveKey: join(dir, 'm/keys.psk'), moveWord: join(dir, 'm/word') }
  for (const _ of ['once', 'again']) await writeMoveFiles(place, 'ab'.repeat(32), undefined)
  assert.equal(await readFile(place.moveKey, 'utf8'), `qemu:${'ab'.repeat(32)}\n`)
  assert.equal((await stat(place.moveKey)).mode & 0o777, 0o400)
  assert.equal(await isWordSaid(place), false)
  await writeFile(place.moveWord, Buffer.from([1]))
  assert.equal(await isWordSaid(place), true)
  await dropMoveFiles(place)
  assert.equal(await isWordSaid(place), false)
})

test('a key that is none is refused: a line end in it would be another key', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'move-'))
  t.after(() => rm(dir, { recursive: true }))
  const work = writeMoveFiles(placeOf(dir, 'a'), `${'ab'.repeat(31)}a\n`, undefined)
  await assert.rejects(work, (error) => isProblem(error, 'invalid'))
})
