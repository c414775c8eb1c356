/**
 * Real Open vSwitch (datapath in user space), namespaces, nftables and dnsmasq; namespaces stand for guests. Root.
 * With `host`, `tunnels` or `crash`: only that part. Everything happens in network, mount and process namespaces of its own, so that it touches nothing of the host and ends as a whole.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { openLog } from '../../../src/kit/log.ts'
import { prove } from './proofs.ts'

const inside = 'ALTOSTACK_NETWORK_TEST'

function outer(): number {
  const dir = mkdtempSync('/tmp/net-')
  // A shell in between is the first process there: it takes in orphans, which Node would leave as zombies.
  const first = ['sh', '-c', '"$0" "$@"; exit $?', process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const argv = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', ...first]
  try {
    const { status } = spawnSync('unshare', argv, { stdio: 'inherit', env: { ...process.env, [inside]: dir }, timeout: 600_000 })
    return status ?? 1
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function inner(dir: string): Promise<number> {
  const log = openLog({ level: process.env['LOG_LEVEL'] ?? 'error' })
  const exec = openExec(log)
  await exec.run(['mkdir', '-p', '/run/netns'])
  await exec.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/netns'])
  await exec.run(['ip', 'link', 'set', 'lo', 'up'])
  await exec.run(['chmod', '755', dir])
  return prove({ exec, log, dir: join(dir, 's'), only: process.argv[2] })
}

const dir = process.env[inside]
process.exit(dir === undefined ? outer() : await inner(dir))
