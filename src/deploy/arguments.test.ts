import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAsk } from './arguments.ts'

const parse = (...argv: string[]) => {
  let said = ''
  const ask = parseAsk(argv, (text) => {
    said += text
  })
  return { ask, said }
}

test('each mode is understood', () => {
  assert.deepEqual(parse('--allinone').ask, { mode: 'allinone', dryRun: false })
  assert.deepEqual(parse('--allinone', '--dry-run').ask, { mode: 'allinone', dryRun: true })
  assert.deepEqual(parse('--allinone', '-y').ask, { mode: 'allinone', dryRun: true })
  assert.deepEqual(parse('--uninstall', '--keep-data').ask, { mode: 'uninstall', keepData: true })
  assert.deepEqual(parse('--gen-answer-file=a.txt').ask, { mode: 'gen-answer-file', file: 'a.txt' })
  for (const mode of ['start', 'stop', 'status'] as const) assert.deepEqual(parse(`--${mode}`).ask, { mode })
})

test('a wrong option ends with 2 and says why', () => {
  for (const argv of [[], ['--allinone', '--stop'], ['--dry-run'], ['--keep-data'], ['--nonsense'], ['word']]) {
    const { ask, said } = parse(...argv)
    assert.equal(ask, 2, argv.join(' '))
    assert.ok(said.length > 10)
  }
})

test('help is no error', () => {
  const { ask, said } = parse('--help')
  assert.equal(ask, 0)
  assert.match(said, /--allinone/)
})
