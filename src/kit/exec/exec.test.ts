import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withContext } from '../context.ts'
import { type Log, silentLog } from '../log.ts'
import { CommandFailed, openExec } from './exec.ts'

const exec = openExec(silentLog)

test('a program gets its arguments as they are, whatever a shell would make of them', async () => {
  const odd = ['$HOME', '`id`', "a'b", 'x; y', '*', '']
  assert.deepEqual((await exec.run(['printf', '%s\\n', ...odd])).split('\n').slice(0, -1), odd)
})

test('what it says and how it ends is told; only run takes a bad end for a failure', async () => {
  const argv = ['sh', '-c', 'cat; echo bad >&2; exit 3']
  assert.deepEqual(await exec.attempt(argv, { input: 'in' }), { code: 3, stdout: 'in', stderr: 'bad\n' })
  await assert.rejects(exec.run(argv), (error: CommandFailed) => error.code === 3 && /ended with 3: bad$/.test(error.message))
})

test('one that is not there, is too slow or says too much is a failure', async () => {
  const why = (message: RegExp) => (error: unknown) => error instanceof CommandFailed && message.test(error.message)
  await assert.rejects(exec.attempt(['/no/such/program']), why(/did not start/))
  await assert.rejects(exec.attempt(['sleep', '60'], { timeoutMs: 30 }), why(/took longer than 30 ms/))
  await assert.rejects(exec.attempt(['yes'], { maxOutputBytes: 1000 }), why(/said more than 1000 bytes/))
})

test('one that ends without reading its input is judged by its code', async () => {
  assert.equal((await exec.attempt(['true'], { input: 'x'.repeat(1 << 20) })).code, 0)
})

test('input is never logged, and no program runs while a transaction is open', async () => {
  const lines: string[] = []
  const log: Log = { ...silentLog, debug: (facts) => lines.push(JSON.stringify(facts)) }
  await openExec(log).run(['cat'], { input: 'a secret' })
  assert.match(lines.join(), /"argv":\["cat"\]/)
  assert.doesNotMatch(lines.join(), /secret/)
  await withContext({ afterCommit: [] }, async () => assert.throws(() => exec.attempt(['true']), /transaction is open/))
})
