import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { choose, type Part, parts } from './parts.ts'
import { runPart, runParts } from './run-part.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = (chosen: Part[] | string) => (typeof chosen === 'string' ? chosen : chosen.map(({ name }) => name))

test('the quick check has no part that needs root or packages', () => {
  const chosen = choose({ all: false, only: [] })
  assert.deepEqual(names(chosen), ['types', 'lint', 'imports', 'docs', 'tests'])
  assert.ok(typeof chosen !== 'string' && chosen.every((part) => !part.needsRoot && !part.packages))
})

test('--all runs every part and --only runs just the named ones', () => {
  assert.equal(choose({ all: true, only: [] }).length, parts.length)
  assert.deepEqual(names(choose({ all: true, only: ['crash', 'types'] })), ['types', 'crash'])
})

test('an unknown part is refused with the names of those there are', () => {
  assert.match(String(choose({ all: false, only: ['nonsense'] })), /no part is called nonsense; there are: types lint/)
})

test('part names are unique', () => assert.equal(new Set(parts.map(({ name }) => name)).size, parts.length))

test('a part that fails, hangs or is not there is not passed', async () => {
  const outcome = async (argv: string[], limitSeconds = 30) => (await runPart({ name: 'x', argv, limitSeconds }, root)).trouble
  assert.equal(await outcome(['true']), undefined)
  assert.match((await outcome(['false'])) ?? '', /FAILED with 1/)
  assert.match((await outcome(['tail', '-f', '/dev/null'], 0.1)) ?? '', /took more than/)
  assert.match((await outcome(['/nonexistent'])) ?? '', /did not start/)
})

test('a part beside others ends before one that is alone begins, and the order of the table is that of the ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-check-'))
  const mark = join(folder, 'mark')
  const results = await runParts(
    [
      {
        name: 'beside',
        argv: ['sh', '-c', `while ! [ -e ${mark} ]; do sleep 0.01; done; rm ${mark}`],
        limitSeconds: 30,
        isBeside: true,
      },
      { name: 'next', argv: ['touch', mark] },
      { name: 'alone', argv: ['sh', '-c', `! [ -e ${mark} ]`], isAlone: true },
    ],
    root,
  )
  rmSync(folder, { recursive: true })
  assert.deepEqual(
    results.map(({ part, trouble }) => [part.name, trouble]),
    [
      ['next', undefined],
      ['beside', undefined],
      ['alone', undefined],
    ],
  )
})

test('every launcher of the repository can be executed', () => {
  for (const name of ['check', 'packstack', '.ci/run', 'bin/launch']) assert.ok(existsSync(`${root}/${name}`), name)
})
