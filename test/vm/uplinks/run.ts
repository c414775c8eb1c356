/**
 * Network cards in bridges, for real: Open vSwitch (datapath in user space), a host in a namespace with one card, its gateway and controller behind it. Root.
 * Everything happens in network, mount and process namespaces of its own, so that it touches nothing of the machine and ends as a whole.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { openLog } from '../../../src/kit/log.ts'
import { proofs } from './proofs.ts'
import { openWorld } from './world.ts'

const inside = 'ALTOSTACK_UPLINKS_TEST'

function outer(): number {
  const dir = mkdtempSync('/tmp/uplinks-')
  // A shell in between is the first process there: it takes in orphans, which Node would leave as zombies.
  const first = ['sh', '-c', '"$0" "$@"; exit $?', process.execPath, import.meta.filename]
  const argv = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', ...first]
  try {
    const { status } = spawnSync('unshare', argv, { stdio: 'inherit', env: { ...process.env, [inside]: dir }, timeout: 300_000 })
    return status ?? 1
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function inner(dir: string): Promise<number> {
  const exec = openExec(openLog({ level: process.env['LOG_LEVEL'] ?? 'error' }))
  await exec.run(['mkdir', '-p', '/run/netns'])
  await exec.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/netns'])
  await exec.run(['ip', 'link', 'set', 'lo', 'up'])
  const world = await openWorld(exec, join(dir, 's'))
  try {
    for (const { what, prove } of proofs) {
      const started = performance.now()
      await prove(world)
      console.log(`ok ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
    }
    return 0
  } catch (error) {
    console.error(error)
    return 1
  } finally {
    await world.close()
  }
}

const dir = process.env[inside]
process.exit(dir === undefined ? outer() : await inner(dir))
