import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { share } from './files.ts'

/** Runs these test files, each in a process of its own, and gives what the report says. */
function report(t: { after(done: () => void): void }, texts: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-shares-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = texts.map((text, index) => {
    const path = join(folder, `${index}.test.mjs`)
    writeFileSync(path, `import { test } from 'node:test'\n${text}`)
    return [path]
  })
  const runner = join(folder, 'run.mjs')
  const text = `import { runShares } from '${new URL('./shares.ts', import.meta.url)}'
const { success } = await runShares(${JSON.stringify(files)}, { each: false })
process.exit(success ? 0 : 1)`
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  writeFileSync(runner, text)
  return spawnSync(process.execPath, [runner], { encoding: 'utf8', env })
}

test('what fails in several processes at once is told of each, and counted together', (t) => {
  const failing = `for (let i = 0; i < 20; i++) test('t' + i, (t) => t.test('inner', () => { throw new Error('x') }))`
  const { status, stdout } = report(t, [failing, failing, `test('fine', () => {})`])
  assert.equal(status, 1)
  assert.match(stdout, /^ℹ pass 1$/m)
  assert.match(stdout, /^ℹ fail 80$/m)
})

test('a process that dies before its summary is a failure', (t) => {
  const { status, stderr } = report(t, [`test('last words', () => process.exit(0))`])
  assert.equal(status, 1)
  assert.match(stderr, /ended with 0 before its summary/)
})

test('the biggest files are dealt first, to the process with least', () => {
  const file = (path: string, bytes: number) => ({ path, bytes })
  assert.deepEqual(share([file('a', 1), file('b', 10), file('c', 5), file('d', 5)], 2), [
    ['b', 'a'],
    ['c', 'd'],
  ])
})
