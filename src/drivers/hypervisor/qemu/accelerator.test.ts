import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandFailed, type Exec, type RunResult } from '../../../kit/exec/exec.ts'
import { countingBootSector, countsInTime } from './accelerator.ts'

const ending = (attempt: () => Promise<RunResult>): Exec => ({ attempt, run: async () => '' })
const withCode = (code: number) => ending(async () => ({ code, stdout: '', stderr: '' }))

test('the boot sector is one that firmware boots', () => {
  const disk = countingBootSector()
  assert.equal(disk.readUInt16LE(510), 0xaa55)
  assert.equal(disk[0], 0xfa)
})

test('only a guest that counted to its end proves an accelerator', async () => {
  assert.ok(await countsInTime(withCode(3), 'kvm'))
  assert.ok(!(await countsInTime(withCode(134), 'kvm')), 'QEMU aborted')
  const slow = ending(() => Promise.reject(new CommandFailed(['qemu'], -1, '', 'took longer')))
  assert.ok(!(await countsInTime(slow, 'kvm')))
})
