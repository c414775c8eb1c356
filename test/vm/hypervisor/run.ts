/** The guests' driver on real QEMU under software emulation: a line for each proof. As root; everything is in a network namespace of its own and goes at the end. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildImage } from '../../../images/build.ts'
import type { Vm } from '../../../src/agents/document.ts'
import { vmAgent } from '../../../src/agents/vm/index.ts'
import type { Guest, Hypervisor } from '../../../src/drivers/hypervisor/driver.ts'
import { countsInTime, probeAccelerator } from '../../../src/drivers/hypervisor/qemu/accelerator.ts'
import { placeOf } from '../../../src/drivers/hypervisor/qemu/place.ts'
import { findProcesses } from '../../../src/drivers/hypervisor/qemu/processes.ts'
import { readQcow2 } from '../../../src/drivers/hypervisor/qemu/qcow2.ts'
import { driverSuite, runCase } from '../../../src/drivers/hypervisor/suite.ts'
import { moveSuite } from '../../../src/drivers/hypervisor/suite-moves.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import { explainError } from '../../../src/kit/errors.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { uuid } from '../../../src/kit/ids.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { guestIp, guestMac, mtu, openNetwork } from './network.ts'
import { openWorld, until, type World } from './world.ts'

const exec = openExec(silentLog)
const here = fileURLToPath(import.meta.url)
const { values } = parseArgs({ options: { inside: { type: 'boolean' }, cache: { type: 'string' } } })

let failures = 0
async function prove(what: string, proof: () => Promise<unknown>): Promise<void> {
  const started = performance.now()
  try {
    const said = await proof()
    console.log(`ok   ${what}${typeof said === 'string' ? `: ${said}` : ''} (${Math.round(performance.now() - started)} ms)`)
  } catch (error) {
    failures++
    console.log(`FAIL ${what}: ${explainError(error)}`)
  }
}

/** Runs this file again in a namespace whose devices nobody else sees. */
async function outside(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('run this as root')
  const name = `hypervisor-${process.pid}`
  const cache = values.cache ?? (await mkdtemp(join(tmpdir(), 'altostack-packages-')))
  // Inside there is no way to where packages come from.
  await buildImage({ exec, log: silentLog, outFile: join(cache, 'outside.qcow2'), cacheDir: cache })
  await exec.run(['ip', 'netns', 'add', name])
  try {
    const args = ['--cache', cache, '--inside']
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, here, ...args], { stdio: 'inherit' })
    return await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
  } finally {
    await exec.run(['ip', 'netns', 'del', name])
    if (!values.cache) await rm(cache, { recursive: true, force: true })
  }
}

const ssh = (key: string, command: string) =>
  exec.run([
    'ssh',
    '-i',
    key,
    ...[
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ConnectTimeout=5',
    ].flatMap((option) => ['-o', option]),
    `root@${guestIp}`,
    command,
  ])

async function inside(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'hypervisor-'))
  let world: World | undefined
  try {
    await prove('the accelerator is probed by running something', async () => {
      assert.ok(await countsInTime(exec, 'tcg'), 'software emulation counts in time')
      return probeAccelerator(exec)
    })
    await prove('the guest image is built', async () => {
      world = await openWorld(exec, dir, values.cache ?? join(dir, 'packages'))
      return `${(world.image.sizeBytes / 2 ** 20).toFixed(1)} MiB`
    })
    if (world) await proofs(world, dir)
  } finally {
    if (world) await killAll(world)
    await rm(dir, { recursive: true, force: true })
  }
  console.log(failures === 0 ? 'all proven' : `${failures} failed`)
  return failures === 0 ? 0 : 1
}

const killAll = async ({ stateDir }: World) => {
  for (const pids of (await findProcesses(stateDir)).values()) for (const pid of pids) process.kill(pid, 'SIGKILL')
}

async function proofs(world: World, dir: string): Promise<void> {
  await prove('many guests at once are one download', () => siblings(world))
  await exec.run(['ip', 'link', 'set', 'lo', 'up'])
  for (const one of [...driverSuite, ...moveSuite]) await prove(one.name, () => runCase(one, world.subject))
  await prove('a disk grows when more is asked for, and keeps what is on it', () => growth(world))
  await withNetwork(world, dir)
  await prove('a raw image boots as well', () => raw(world))
  for (const ms of [0, 10, 20, 35, 60])
    await prove(`an agent killed ${ms} ms after it began to start a guest leaves one guest`, () => killedStarter(world, dir, ms))
  await prove('an agent killed at any moment leaves a guest that the next one brings in order', () => killedOften(world, dir, 24))
  await prove('a guest whose folder somebody deleted is still found and ended', () => folderGone(world))
  await prove('a guest learns from its config drive and runs the script there', () => configDrive(world))
  await prove('nothing is left', () => nothingLeft(world))
}

async function siblings({ open, guest, downloads }: World) {
  const driver = open()
  const before = downloads()
  assert.ok(before <= 1, 'those before shared it too')
  const guests = [guest(), guest(), guest()]
  await Promise.all(guests.map((one) => driver.prepare(one)))
  assert.equal(downloads(), 1)
  for (const { id } of guests) await driver.remove(id)
  await driver.close()
}

async function growth({ open, guest, stateDir }: World): Promise<void> {
  const driver = open()
  const one = guest()
  const { disk } = placeOf(stateDir, one.id)
  await driver.prepare(one)
  await exec.run(['qemu-io', '-f', 'qcow2', '-c', 'write -P 7 900M 64k', disk])
  await driver.prepare({ ...one, diskGb: 2 })
  assert.equal((await readQcow2(disk))?.virtualSizeBytes, 2 * 2 ** 30)
  assert.doesNotMatch(await exec.run(['qemu-io', '-f', 'qcow2', '-c', 'read -P 7 900M 64k', disk]), /failed/)
  await driver.remove(one.id)
  await driver.close()
}

async function raw({ open, guest, rawImage, subject }: World): Promise<void> {
  const driver = open()
  const one = guest({ image: rawImage })
  try {
    await driver.prepare(one)
    await driver.start(one, { boots: 1, softBoots: 0 }, 'running')
    await subject.booted(driver, one.id)
  } finally {
    await driver.remove(one.id)
    await driver.close()
  }
}

/** One guest with network, from its boot through the death of its agent to its end. */
async function withNetwork(world: World, dir: string): Promise<void> {
  const key = join(dir, 'key')
  await exec.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key])
  const publicKey = await readFile(`${key}.pub`, 'utf8')
  const meta = { uuid: uuid(), hostname: 'proof.example', public_keys: { mykey: publicKey } }
  const script = '#!/bin/sh\necho it ran on $(hostname)\n'
  const files = { 'meta_data.json': JSON.stringify(meta), user_data: script }
  const guest = world.guest({
    configDrive: undefined,
    nics: [{ portId: uuid(), device: 'tap-proof', mac: guestMac, mtu }],
  })
  const driver = world.open()
  await prove('a guest whose device is missing waits for it', async () => {
    assert.deepEqual(await driver.prepare(guest), { ready: false, waitFor: 'tap-proof' })
  })
  const network = await openNetwork(exec, dir, 'tap-proof', files)
  try {
    await prove('our part of a start, until QEMU runs and answers', async () => {
      assert.deepEqual(await driver.prepare(guest), { ready: true })
      const started = performance.now()
      await driver.start(guest, { boots: 1, softBoots: 0 }, 'running')
      return `${Math.round(performance.now() - started)} ms`
    })
    await networked(world, driver, guest, key)
  } finally {
    await driver.remove(guest.id)
    await driver.close()
    await network.close()
  }
}

async function networked(world: World, driver: Hypervisor, guest: Guest, key: string): Promise<void> {
  const { id } = guest
  const log = () => driver.consoleLog(id, 1 << 20)
  await prove('from QEMU to the answer of ssh', () =>
    until('ssh', () =>
      ssh(key, 'true').then(
        () => true,
        () => false,
      ),
    ),
  )
  await prove('address, MTU and metadata arrived', async () => {
    await until('READY', async () => (await log()).includes('READY'))
    assert.match(await log(), new RegExp(`READY hostname=proof ip=${guestIp} metadata=http keys=1`))
    assert.match(await ssh(key, 'ip link show eth0'), new RegExp(`mtu ${mtu}`))
    return /mini: .*READY.*/.exec(await log())?.[0]
  })
  await prove('the user’s script ran', () =>
    until('script', async () => (await log()).includes('user-data ended with 0: it ran on proof')),
  )
  await prove('the root file system grew to the disk', async () => {
    assert.ok(Number((await ssh(key, "df -m / | awk 'NR==2{print $2}'")).trim()) > 900)
  })
  await prove('QEMU has no rights and may start no program', () => confined(driver, id))
  await prove('the serial console lets one log in', () => login(world, id))
  await prove('the screen is served', async () => {
    const screen = await driver.vnc(id)
    assert.ok(screen?.kind === 'unix')
    const socket = connect(screen.path)
    const [hello] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    assert.match(hello.toString(), /^RFB 003/)
  })
  await prove('a guest that writes without end is bounded, and its end still read', async () => {
    await ssh(key, 'dd if=/dev/zero bs=64k count=36 2>/dev/null | tr "\\0" x > /dev/ttyS0; echo the end > /dev/ttyS0')
    await until('its end', async () => (await driver.consoleLog(id, 100)).includes('the end'))
    const { consoleLog } = placeOf(world.stateDir, id)
    const before = (await stat(consoleLog)).size
    await driver.tidy()
    assert.match(await driver.consoleLog(id, 100), /x{20}\s*the end/)
    assert.ok(before > 2 << 20 && (await stat(consoleLog)).size < 1000, `${before}`)
    await ssh(key, 'echo and on > /dev/ttyS0')
    await until('more', async () => (await driver.consoleLog(id, 100)).includes('and on'))
    assert.ok((await stat(consoleLog)).size < 1000, 'QEMU appends to the cut file')
  })
  await prove('memory survives suspend and restore', async () => {
    await ssh(key, 'echo kept > /tmp/kept')
    const before = performance.now()
    await driver.suspend(id)
    const between = performance.now()
    await driver.restore(guest, 'running')
    const [down, up] = [between - before, performance.now() - between].map(Math.round)
    await until('ssh', () =>
      ssh(key, 'cat /tmp/kept').then(
        (text) => text === 'kept\n',
        () => false,
      ),
    )
    return `${down} ms down, ${up} ms up`
  })
  await prove('another driver finds the same process, and the guest noticed nothing', async () => {
    const before = await driver.look(id)
    const uptime = async () => Number((await ssh(key, 'cat /proc/uptime')).split(' ')[0])
    const first = await uptime()
    await driver.close()
    const other = world.open()
    assert.deepEqual(await other.look(id), before)
    assert.ok((await uptime()) > first)
    await other.close()
  })
  await prove('the guest reboots by itself in the same process', async () => {
    const before = await driver.look(id)
    const boots = (await log()).split('userspace start').length
    await ssh(key, 'reboot').catch(() => '')
    await until('its boot', async () => (await log()).split('userspace start').length > boots)
    assert.equal((await driver.look(id))?.pid, before?.pid)
  })
  await prove('the power button is answered', async () => {
    await until('ssh', () =>
      ssh(key, 'true').then(
        () => true,
        () => false,
      ),
    )
    const heard = new Set<string>()
    const unwatch = driver.watch((changed) => heard.add(changed))
    await driver.press(id)
    await until('ended', async () => (await driver.look(id))?.state === 'ended')
    unwatch()
    assert.ok(heard.has(id), 'those who watch heard it')
    await driver.stop(id)
  })
}

async function confined(driver: Hypervisor, id: string) {
  const status = await readFile(`/proc/${(await driver.look(id))?.pid}/status`, 'utf8')
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
  assert.ok(Number(field('Uid')) > 1_000_000_000)
  assert.deepEqual([Number(field('CapEff')), field('NoNewPrivs'), field('Seccomp')], [0, '1', '2'])
  return `user ${field('Uid')}, ${Math.round(Number(field('VmRSS')) / 1024)} MiB resident`
}

async function login({ stateDir }: World, id: string): Promise<void> {
  const socket = connect(placeOf(stateDir, id).consoleSocket)
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  const answer = async (wait: RegExp, text: string) => {
    await until(`${wait}`, async () => wait.test(heard), 20)
    heard = ''
    socket.write(`${text}\n`)
  }
  socket.write('\n')
  await answer(/login: /, 'cirros')
  await answer(/assword: /, 'gocubsgo')
  await answer(/\$ /, 'id -un; exit')
  await until('its name', async () => heard.includes('\ncirros'), 20)
  socket.destroy()
}

/** Starts the part that is killed, and kills it so long after it began. */
async function runAndKill({ stateDir }: World, dir: string, guest: Guest, mode: 'once' | 'busy', ms: number): Promise<void> {
  const file = join(dir, 'guest.json')
  await writeFile(file, JSON.stringify(guest))
  const argv = [join(here, '../agent.ts'), stateDir, file, mode]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await delay(ms)
  await killed(child)
}

/** Kills the starter in the middle, and lets another agent do what the first did not. */
async function killedStarter(world: World, dir: string, ms: number) {
  const guest = world.guest()
  const driver = world.open()
  try {
    await driver.prepare(guest)
    await runAndKill(world, dir, guest, 'once', ms)
    const found = await driver.look(guest.id)
    await until('settled', async () => (await driver.look(guest.id))?.state !== 'lost', 10)
    await driver.start(guest, { boots: 1, softBoots: 0 }, 'running')
    const seen = await driver.look(guest.id)
    assert.deepEqual([seen?.state, seen?.applied.boots], ['on', 1])
    assert.deepEqual((await findProcesses(world.stateDir)).get(guest.id), [seen?.pid])
    return `it was ${found?.state}, ${found?.pid ? (found.pid === seen?.pid ? 'adopted' : 'replaced') : 'started'}`
  } finally {
    await driver.remove(guest.id)
    await driver.close()
  }
}

/** Kills an agent that is busy with a guest at random moments; each time a new one brings the guest to where it should be. */
async function killedOften(world: World, dir: string, times: number) {
  const guest = world.guest()
  const driver = world.open()
  const found: Record<string, number> = {}
  let generation = 1
  try {
    await driver.prepare(guest)
    await driver.close()
    for (let n = 0; n < times; n++) {
      await runAndKill(world, dir, guest, 'busy', Math.random() * 700)
      const driver = world.open()
      const before = await driver.look(guest.id)
      found[`${before?.state}`] = (found[`${before?.state}`] ?? 0) + 1
      generation++
      const vm: Vm = {
        ...guest,
        generation,
        power: n % 3 === 2 ? 'suspended' : 'on',
        boots: before?.applied.boots ?? 0,
        softBoots: 0,
        graceSeconds: 0,
        requestId: 'req-test',
      }
      await converge(driver, n % 3 === 2 && before?.state !== 'on' && before?.state !== 'paused' ? { ...vm, power: 'on' } : vm)
      const pids = (await findProcesses(world.stateDir)).get(guest.id) ?? []
      assert.ok(pids.length <= 1, `${pids.length} processes`)
      await driver.stop(guest.id)
      await exec.run(['qemu-img', 'check', '-q', placeOf(world.stateDir, guest.id).disk])
      await driver.close()
    }
    return Object.entries(found)
      .map(([state, count]) => `${count} times ${state}`)
      .join(', ')
  } finally {
    await driver.remove(guest.id)
    await driver.close()
  }
}

/** Rounds of an agent until it tells that the newest generation is applied. */
async function converge(driver: Hypervisor, vm: Vm): Promise<void> {
  const agent = vmAgent({ driver: { ...driver, close: async () => {} }, clock: systemClock(), log: silentLog })
  let last: unknown
  await until(
    `applied (${vm.power})`,
    async () => {
      const { seen } = await agent.round({ complete: true, items: [vm] })
      last = seen[0]
      return seen[0]?.generation === vm.generation && seen[0].power === vm.power
    },
    30,
  ).catch((error) => {
    throw new Error(`${explainError(error)}: ${JSON.stringify(last)}`)
  })
  await agent.close?.()
}

async function folderGone(world: World): Promise<void> {
  const guest = world.guest()
  const driver = world.open()
  await driver.prepare(guest)
  await driver.start(guest, { boots: 1, softBoots: 0 }, 'running')
  await driver.close()
  await rm(placeOf(world.stateDir, guest.id).dir, { recursive: true })
  const other = world.open()
  const { vms, problems } = await other.inventory()
  assert.deepEqual(
    vms.map(({ id }) => id),
    [guest.id],
  )
  assert.match(problems.join(), /folder is gone/)
  await other.remove(guest.id)
  assert.equal((await findProcesses(world.stateDir)).size, 0)
  await other.close()
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function configDrive(world: World): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const guest = world.guest({
    memoryMb: 96,
    configDrive: {
      'openstack/latest/meta_data.json': base64(JSON.stringify({ uuid: uuid(), hostname: 'driven.example' })),
      'openstack/latest/user_data': base64('#!/bin/sh\necho from the drive\n'),
    },
  })
  const driver = world.open()
  try {
    await driver.prepare(guest)
    await driver.start(guest, { boots: 1, softBoots: 0 }, 'running')
    const log = () => driver.consoleLog(guest.id, 1 << 20)
    await until('its script', async () => (await log()).includes('user-data ended with 0: from the drive'))
    assert.match(await log(), /READY hostname=driven .*metadata=configdrive/)
  } finally {
    await driver.remove(guest.id)
    await driver.close()
  }
}

async function nothingLeft({ stateDir, open }: World): Promise<void> {
  const driver = open()
  await driver.tidy()
  assert.deepEqual(await driver.inventory(), { vms: [], files: [], problems: [] })
  assert.equal((await findProcesses(stateDir)).size, 0)
  assert.ok(!existsSync('/sys/class/net/tap-proof'))
  await driver.close()
}

process.exit(values.inside ? await inside() : await outside())
