import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const supervise = fileURLToPath(new URL('../../../bin/supervise', import.meta.url))

test('what dies is started again after pauses that double up to 30 s, and after a long life after 1 s', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-supervise-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (name: string) => join(folder, name)
  const program = (name: string, text: string) => writeFileSync(at(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  // The time stands in a file; a pause only writes down how long it was to be.
  program('sleep', `echo $1 >> ${at('pauses')}`)
  program('date', `case $1 in +%s) cat ${at('time')};; *) echo now;; esac`)
  writeFileSync(at('time'), '1000')
  // Dies at once; its 8th life is long; in its 10th it has everything ended.
  program(
    'command',
    `case $(cat ${at('x.starts')}) in 8) echo 1100 > ${at('time')};; 10) kill -TERM $PPID; read _ < ${at('never')};; esac; exit 7`,
  )
  spawnSync('mkfifo', [at('never')])
  const env = { PATH: `${folder}:${process.env['PATH']}` }
  const { status } = spawnSync(supervise, ['x', folder, at('log'), at('command')], { env, timeout: 20_000 })
  assert.equal(status, 0)
  assert.equal(readFileSync(at('pauses'), 'utf8').trim().split('\n').join(' '), '1 2 4 8 16 30 30 1 2')
  assert.match(readFileSync(at('log'), 'utf8'), /x ended with 7; started again in 30 s/)
  for (const left of ['x.supervisor', 'x.pid', 'x.starts']) assert.ok(!existsSync(at(left)), left)
})

test('a second loop of the same name goes away and starts nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-supervise-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (name: string) => join(folder, name)
  // Whoever holds the lock is the first loop.
  const { status } = spawnSync('flock', [at('x.lock'), supervise, 'x', folder, at('log'), 'touch', at('started')], {
    timeout: 20_000,
  })
  assert.equal(status, 0)
  for (const made of ['x.supervisor', 'started']) assert.ok(!existsSync(at(made)), made)
})
