import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { guestIp } from '../hypervisor/network.ts'
import { until } from '../hypervisor/world.ts'
import { startPing } from './ping.ts'
import type { Prove, Scene } from './scene.ts'
import { ask, type Traveller, travel } from './trip.ts'

/** What tells whether a guest is the same as before: which boot, since when, a file on its disk and one in its memory. */
async function identity({ ssh }: Scene): Promise<{ boot: string; uptime: number; files: string }> {
  const said = await ssh('cat /proc/sys/kernel/random/boot_id /proc/uptime; sha256sum /root/kept /tmp/kept')
  const [boot = '', uptime = '', ...files] = said.trim().split('\n')
  return { boot, uptime: Number(uptime.split(' ')[0]), files: files.join() }
}

async function same(scene: Scene, before: Awaited<ReturnType<typeof identity>>): Promise<void> {
  const after = await identity(scene)
  assert.deepEqual([after.boot, after.files], [before.boot, before.files])
  assert.ok(after.uptime >= before.uptime)
}

export async function proofs(scene: Scene, prove: Prove): Promise<void> {
  const [one, two] = scene.hosts
  const traveller: Traveller = { vm: scene.guest(), at: one, other: two, usualMs: 2000 }
  await ask(traveller)
  await scene.answers()
  await scene.ssh(
    'mkdir -p /root; for f in /root/kept /tmp/kept; do dd if=/dev/urandom of=$f bs=64k count=64 2>/dev/null; done; sync',
  )
  await prove('a guest goes over while it is pinged, and is the same', () => pinged(scene, traveller))
  await prove('and back', () => pinged(scene, traveller))
  await prove('while it is open, both channels are at the host’s own address and nowhere else; afterwards at none', () =>
    listening(scene, traveller),
  )
  await prove('the disk is the same on both hosts', () => equalDisks(scene, traveller))
  await prove('who has no key, or another, is refused, and the guest goes on', () => wrongKey(scene, traveller))
  await prove('a move taken back leaves the guest running where it is', () => takenBack(scene, traveller))
  await prove('a guest that writes all the time goes over', () => busy(scene, traveller))
  await prove('a guest that must go at once stands still for as long as it takes, and is the same', () =>
    forced(scene, traveller),
  )
  await prove('a guest that came here is suspended, and goes on', () => suspended(scene, traveller))
  await prove('a guest whose new host does not hear that it has left goes on with its memory once it is told', () =>
    unheard(scene, traveller),
  )
  await prove('a guest whose memory is lost after it has left boots on its new host, with its disk', () =>
    memoryLost(scene, traveller),
  )
  await prove('a guest that is off goes over and boots there', () => cold(scene, traveller))
  for (const victim of victims)
    for (const part of [0.1, 0.6, 1])
      await prove(`killed after ${part * 100}% of the usual time: ${victim}`, () => killed(scene, traveller, victim, part))
}

async function pinged(scene: Scene, traveller: Traveller): Promise<string> {
  const before = await identity(scene)
  const ping = startPing(guestIp)
  await delay(500)
  let left = 0
  const { at, memory, disk } = await travel({
    traveller,
    meanwhile: async (move) => {
      const told = performance.now()
      await until('left', async () => {
        const seen = (await traveller.at.seen(traveller.vm.id))?.move
        return seen?.id === move.id && seen.at === 'left'
      })
      left = performance.now() - told
      traveller.usualMs = left
    },
  })
  await delay(500)
  const { sent, lost, gapMs } = await ping.end()
  assert.equal(at, 'left')
  await same(scene, before)
  assert.ok(lost * 20 < 3000, `${lost} pings lost`)
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  return `${lost} of ${sent} pings lost, ${gapMs} ms without an answer, ${Math.round(left)} ms until it had left, ${mib(memory.sent)} of memory and ${mib(disk.sent)} of disk`
}

async function listening(scene: Scene, traveller: Traveller): Promise<string> {
  const { other } = traveller
  let open: string[] = []
  await travel({
    traveller,
    meanwhile: async () => {
      open = await other.sockets('listening')
    },
  })
  assert.equal(open.length, 2, `${open}`)
  assert.ok(open.every((where) => where.startsWith(`${other.address}:`)))
  for (const host of scene.hosts) assert.deepEqual(await host.sockets('listening'), [])
  return open.join(' ')
}

/** Paused, so that nothing is written where it arrived. */
async function equalDisks({ exec }: Scene, traveller: Traveller): Promise<void> {
  await ask(traveller, { power: 'paused' })
  const { at: from, other: to, vm } = traveller
  await travel({
    traveller,
    meanwhile: async () => {
      await until('arrived', async () => (await to.seen(vm.id))?.move?.at === 'arrived')
      const disks = [from.place(vm.id).disk, to.place(vm.id).disk]
      await exec.run(['qemu-img', 'compare', '-U', ...disks])
    },
  })
  await ask(traveller, { power: 'on' })
}

async function wrongKey(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  const end = await travel({ traveller, told: { key: '0'.repeat(64) } })
  assert.equal(end.at, 'failed')
  assert.match(`${end.error}`, /refused/)
  await same(scene, before)
}

/** A destination that stands still, once its disk is being written, gives the time to think better of it. */
async function takenBack(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  const end = await travel({
    traveller,
    takenBack: true,
    meanwhile: async () => {
      const { at, other, vm } = traveller
      await until('connected', async () => (await other.sockets('established')).length > 0)
      await delay(300)
      process.kill(await other.pid(vm.id), 'SIGSTOP')
      await until('going', async () => (await at.seen(vm.id))?.move?.at === 'going')
    },
  })
  assert.deepEqual([end.at, end.error], ['failed', 'The move was taken back.'])
  await same(scene, before)
}

async function busy(scene: Scene, traveller: Traveller): Promise<string> {
  const before = await identity(scene)
  await scene.ssh('(while true; do dd if=/dev/zero of=/root/busy bs=64k count=64 conv=fsync; done) >/dev/null 2>&1 &')
  const said = await pinged(scene, traveller)
  await scene.ssh('killall sh dd; rm -f /root/busy; sync').catch(() => '')
  await same(scene, before)
  return said
}

async function forced(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  assert.equal((await travel({ traveller, told: { forced: true } })).at, 'left')
  await same(scene, before)
}

async function suspended(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  await ask(traveller, { power: 'suspended' })
  await ask(traveller, { power: 'on' })
  await same(scene, before)
}

/** The file in which the word would be said is taken away from under QEMU. */
async function deafen(traveller: Traveller): Promise<void> {
  const { moveWord } = traveller.other.place(traveller.vm.id)
  await rename(moveWord, `${moveWord}.gone`)
  await writeFile(moveWord, Buffer.alloc(512))
}

const hasLeft = ({ at, vm }: Traveller) => until('left', async () => (await at.seen(vm.id))?.move?.at === 'left')

async function unheard(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  const { at: from, other: to, vm } = traveller
  await travel({
    traveller,
    meanwhile: async () => {
      await deafen(traveller)
      await hasLeft(traveller)
      await delay(1000)
      assert.equal((await to.seen(vm.id))?.move?.at, 'open', 'it waits to be told')
      assert.equal(await from.pid(vm.id), 0, 'and nowhere it runs')
    },
  })
  await same(scene, before)
}

async function memoryLost(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  const { other: to, vm } = traveller
  await travel({
    traveller,
    meanwhile: async () => {
      await deafen(traveller)
      await hasLeft(traveller)
      process.kill(await to.pid(vm.id), 'SIGKILL')
    },
  })
  await scene.answers()
  await rebooted(scene, before)
}

/** Another boot of the same disk; what was in memory is gone, and comes again. */
async function rebooted(scene: Scene, before: Awaited<ReturnType<typeof identity>>): Promise<void> {
  const [kept = ''] = before.files.split(',')
  assert.match(kept, new RegExp(`^${(await scene.ssh('sha256sum /root/kept')).split(' ')[0]}`))
  await scene.ssh('cp /root/kept /tmp/kept')
  assert.notEqual((await identity(scene)).boot, before.boot)
}

async function cold(scene: Scene, traveller: Traveller): Promise<void> {
  const before = await identity(scene)
  await ask(traveller, { power: 'off' })
  const end = await travel({ traveller, kind: 'cold' })
  assert.equal(end.at, 'left')
  await ask(traveller, { power: 'on', boots: traveller.vm.boots + 1 })
  await scene.answers()
  await rebooted(scene, before)
}

const victims = [
  'the agent here',
  'the agent there',
  'both agents',
  'the guest here',
  'the guest there',
  'everything here',
] as const
type Victim = (typeof victims)[number]

/** Afterwards the guest runs on exactly one host and has its disk, and its memory unless its own QEMU was killed. */
async function killed(scene: Scene, traveller: Traveller, victim: Victim, part: number): Promise<string> {
  const before = await identity(scene)
  const { at: from, other: to, vm } = traveller
  const [guestHere, guestThere] = [await from.pid(vm.id), async () => to.pid(vm.id)]
  const { at } = await travel({
    traveller,
    meanwhile: async () => {
      const there = await guestThere()
      await delay(part * traveller.usualMs)
      if (victim === 'the agent here' || victim === 'both agents' || victim === 'everything here') await from.kill()
      if (victim === 'the agent there' || victim === 'both agents') await to.kill()
      if (victim === 'the guest here' || victim === 'everything here') killIfThere(guestHere)
      if (victim === 'the guest there') killIfThere(there)
      await delay(200)
      for (const host of [from, to]) await host.start()
    },
  })
  const pids = [await from.pid(vm.id), await to.pid(vm.id)].filter((pid) => pid > 0)
  assert.equal(pids.length, 1, 'one guest')
  await scene.answers()
  const after = await scene.ssh('cat /proc/sys/kernel/random/boot_id')
  const isSame = after.trim() === before.boot
  if (isSame) await same(scene, before)
  else await rebooted(scene, before)
  assert.ok(isSame || !victim.includes('agent'), 'an agent’s death costs no memory')
  return `${at === 'left' ? 'it went over' : 'it stayed'}, ${isSame ? 'with its memory' : 'and booted'}`
}

function killIfThere(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL')
  } catch {
    // It had ended.
  }
}
