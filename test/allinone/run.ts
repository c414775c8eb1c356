/** `./packstack --allinone` from nothing to nothing, on this machine, as root: once straight, once killed on its way again and again. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openApi } from '../../src/deploy/demo/api.ts'
import { openExec } from '../../src/kit/exec/exec.ts'
import { silentLog } from '../../src/kit/log.ts'
import { prove, until } from '../vm/installed.ts'
import { namespaces, pidOf, reboot, traces } from './machine.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const exec = openExec(silentLog)
const packstack = (...args: string[]) => exec.attempt([`${root}packstack`, ...args], { timeoutMs: 600_000, cwd: root })
const succeed = async (...args: string[]) => {
  const { code, stdout, stderr } = await packstack(...args)
  assert.equal(code, 0, `packstack ${args.join(' ')}:\n${stdout}${stderr}`)
  return stdout
}
const kept = [
  '/root/keystonerc_admin',
  '/root/keystonerc_demo',
  '/etc/altostack/secrets.json',
  '/etc/altostack/altostack.json',
  '/etc/openstack/clouds.yaml',
]
const texts = () => kept.map((path) => readFileSync(path, 'utf8'))

/** The API as the file for shells describes it. */
async function admin() {
  const rc = Object.fromEntries(
    [...readFileSync('/root/keystonerc_admin', 'utf8').matchAll(/^export (OS_\w+)='?([^'\n]*)/gm)].map(([, name, value]) => [
      name!,
      value!,
    ]),
  )
  return openApi({
    url: rc['OS_AUTH_URL']!,
    user: rc['OS_USERNAME']!,
    password: rc['OS_PASSWORD']!,
    project: rc['OS_PROJECT_NAME']!,
  })
}

async function demoNetworks(): Promise<string[]> {
  const { networks } = await (await admin()).get<{ networks: { id: string; name: string }[] }>('network', '/networks')
  return networks.map(({ id, name }) => `${name} ${id}`).sort()
}

async function straight(): Promise<void> {
  const before = await traces(exec)
  await prove('a dry run prints the plan and leaves nothing', async () => {
    assert.match(await succeed('--allinone', '--dry-run'), /Starting the cloud/)
    assert.deepEqual(await traces(exec), before)
  })
  const started = performance.now()
  await prove('a whole installation', () => succeed('--allinone'))
  const seconds = (performance.now() - started) / 1000
  await prove(`it took ${seconds.toFixed(1)} s, under 60`, async () => assert.ok(seconds < 60))
  await prove('--status finds nothing wrong', () => succeed('--status'))
  await prove('the controller has no rights, the agent is root', async () => {
    const status = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8')
    assert.match(status(pidOf('controller')), /^CapBnd:\s+0+$/m)
    assert.doesNotMatch(status(pidOf('controller')), /^Uid:.*\b0\b/m)
    assert.match(status(pidOf('agent')), /^Uid:\s+0\s/m)
  })
  await prove('the same again changes nothing and says so', async () => {
    const [was, pids] = [texts(), [pidOf('controller'), pidOf('agent')]]
    assert.match(await succeed('--allinone'), /Nothing was changed/)
    assert.deepEqual(texts(), was)
    assert.deepEqual([pidOf('controller'), pidOf('agent')], pids)
  })
  await comesBack()
  await upgrades()
  await keepsData()
  await prove('--uninstall leaves what was there before', async () => {
    await succeed('--uninstall')
    assert.deepEqual(await traces(exec), before)
  })
}

async function comesBack(): Promise<void> {
  await prove('controller and agent killed with -9 are started again', async () => {
    for (const name of ['controller', 'agent'] as const) {
      const old = pidOf(name)
      process.kill(old, 'SIGKILL')
      await until(`${name} anew`, 20, async () => pidOf(name) !== old)
    }
    await until('all well', 60, async () => (await packstack('--status')).code === 0)
  })
  await prove('--stop stops, --status says so, --start starts', async () => {
    await succeed('--stop')
    assert.equal((await packstack('--status')).code, 3)
    assert.deepEqual(
      (await traces(exec))['processes']?.filter((line) => line.includes('altostackd: ')),
      [],
    )
    await succeed('--start')
    await succeed('--status')
    assert.match(await succeed('--start'), /running already/)
  })
  await prove('after all that a reboot loses, --start brings everything back', async () => {
    const was = await until('router and address server', 30, async () => {
      const names = await namespaces(exec)
      return names.length === 2 && names
    })
    await reboot(exec)
    assert.deepEqual(await namespaces(exec), [])
    await succeed('--start')
    await succeed('--status')
    const address = () => exec.run(['ip', '-br', 'address', 'show', 'br-ex'])
    await until('the external bridge', 30, async () => /172\.24\.4\.1\/24/.test(await address()))
    await until('the same namespaces', 30, async () => (await namespaces(exec)).join() === was.join())
  })
}

/** A clone with another program in it, which is taken away at once: the installed cloud needs no clone. */
async function upgrades(): Promise<void> {
  await prove('the command of a newer clone upgrades; what it made stays', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'altostack-clone-'))
    try {
      const [was, pids] = [texts(), [pidOf('controller'), pidOf('agent')]]
      const parts = ['bin', 'src', 'images', 'node_modules', 'package.json', 'package-lock.json', 'packstack']
      await exec.run(['cp', '-a', ...parts.map((part) => join(root, part)), folder], { timeoutMs: 120_000 })
      appendFileSync(join(folder, 'src/main/altostackd.ts'), '\n// A newer program.\n')
      await exec.run([join(folder, 'packstack'), '--allinone'], { cwd: folder, timeoutMs: 300_000 })
      assert.deepEqual(texts(), was)
      assert.ok(![pidOf('controller'), pidOf('agent')].some((pid) => pids.includes(pid)))
    } finally {
      rmSync(folder, { recursive: true })
    }
    await succeed('--status')
  })
}

async function keepsData(): Promise<void> {
  await prove('--uninstall --keep-data, then --allinone: the same passwords and networks', async () => {
    const [was, networks] = [texts(), await demoNetworks()]
    await succeed('--uninstall', '--keep-data')
    assert.ok(!existsSync('/opt/altostack'))
    assert.ok(existsSync('/etc/altostack/secrets.json'))
    await succeed('--allinone')
    assert.deepEqual(texts(), was)
    assert.deepEqual(await demoNetworks(), networks)
  })
}

/** Starts packstack in a group of its own and kills the whole group after so long. Tells whether it had come to its end. */
async function killed(afterMs: number, ...args: string[]): Promise<boolean> {
  const child = spawn(`${root}packstack`, args, { cwd: root, detached: true, stdio: 'ignore' })
  const ended = new Promise<boolean>((resolve) => child.once('exit', (code) => resolve(code === 0)))
  const isDone = await Promise.race([ended, sleep(afterMs, false)])
  if (!isDone && child.pid !== undefined)
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It ended just now.
    }
  return isDone
}

async function interrupted(): Promise<void> {
  const before = await traces(exec)
  const delays = Array.from({ length: 8 }, () => Math.round(300 + Math.random() * 9000))
  await prove(`killed with -9 after ${delays.join(', ')} ms, it carries on`, async () => {
    for (const delay of delays) await killed(delay, '--allinone')
    await succeed('--allinone')
    await succeed('--status')
    assert.match(await succeed('--allinone'), /Nothing was changed/)
  })
  await prove('an --uninstall killed on its way can be done again', async () => {
    for (const delay of [400, 900]) await killed(delay, '--uninstall')
    await succeed('--uninstall')
    assert.deepEqual(await traces(exec), before)
  })
}

if (existsSync('/etc/altostack') || existsSync('/opt/altostack')) {
  console.error('A cloud is installed here already, and this test would take it away: ./packstack --uninstall first.')
  process.exit(1)
}
let passed = false
try {
  await straight()
  await interrupted()
  passed = true
} catch (error) {
  console.error(error)
  console.error((await packstack('--status')).stdout)
}
process.exit(passed ? 0 : 1)
