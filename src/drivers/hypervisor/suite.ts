import assert from 'node:assert/strict'
import { isProblem } from '../../kit/errors.ts'
import type { Guest, GuestSeen, GuestState, Hypervisor } from './driver.ts'

/** A host on which the suite may do what it likes. Guests it hands out are bootable there and have no network. */
export type Subject = {
  /** Another driver over the same host, as a restarted agent opens it. */
  open(): Promise<Hypervisor>
  /** A driver over another host, to which guests of this one may go. */
  other(): Promise<Hypervisor>
  /** A guest nobody has seen before. */
  guest(): Guest
  /** Waits until the guest's system is up and would answer the power button. */
  booted(driver: Hypervisor, id: string): Promise<void>
  /** The guest's process dies of itself. */
  kill(driver: Hypervisor, id: string): Promise<void>
  /** Waits until it holds; throws, naming `what`, when it takes too long. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>
}

/** `other`: the driver of the other host, opened when it is first asked for. */
export type Stage = { driver: Hypervisor; other(): Promise<Hypervisor>; subject: Subject; guest: Guest }
export type Case = { name: string; run(stage: Stage): Promise<void> }

const none = { boots: 0, softBoots: 0 }

export const must = async (driver: Hypervisor, id: string): Promise<GuestSeen> => {
  const seen = await driver.look(id)
  assert.ok(seen, 'the guest is here')
  return seen
}

export const isNow = async (driver: Hypervisor, id: string, state: GuestState) =>
  assert.equal((await must(driver, id)).state, state)

export const becomes = ({ driver, subject, guest }: Stage, state: GuestState) =>
  subject.until(`${state}`, async () => (await driver.look(guest.id))?.state === state)

export const boot = async ({ driver, guest }: Stage, boots = 1) => {
  assert.deepEqual(await driver.prepare(guest), { ready: true })
  await driver.start(guest, { ...none, boots }, 'running')
}

export const refuses = (work: Promise<unknown>, kind: 'conflict' | 'not-found') =>
  assert.rejects(work, (error) => isProblem(error, kind) || assert.fail(`not a ${kind}: ${error}`))

/** What every driver of guests does, simulated or real. Each case gets a guest of its own and leaves nothing behind. */
export const driverSuite: Case[] = [
  {
    name: 'a guest nobody made is not here, and cannot be changed',
    async run({ driver, guest }) {
      assert.equal(await driver.look(guest.id), undefined)
      assert.equal(await driver.consoleLog(guest.id, 100), '')
      assert.equal(await driver.vnc(guest.id), undefined)
      await refuses(driver.pause(guest.id), 'not-found')
      await refuses(driver.press(guest.id), 'not-found')
      await driver.remove(guest.id)
    },
  },
  {
    name: 'a prepared guest is off and has done nothing',
    async run({ driver, guest }) {
      await driver.prepare(guest)
      await driver.prepare(guest)
      const seen = { id: guest.id, state: 'off', pid: 0, applied: { generation: 0, ...none }, pressedAt: undefined }
      assert.deepEqual(await driver.look(guest.id), seen)
      assert.deepEqual(
        (await driver.list()).filter(({ id }) => id === guest.id),
        [seen],
      )
      await refuses(driver.pause(guest.id), 'conflict')
      await refuses(driver.restore(guest, 'running'), 'conflict')
    },
  },
  {
    name: 'a start records its numbers, and a second start changes nothing',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage, 3)
      const first = await must(driver, guest.id)
      assert.equal(first.state, 'on')
      assert.ok(first.pid > 0)
      assert.deepEqual(first.applied, { generation: 0, boots: 3, softBoots: 0 })
      await driver.start(guest, { boots: 3, softBoots: 0 }, 'running')
      assert.equal((await must(driver, guest.id)).pid, first.pid)
      await refuses(driver.prepare(guest), 'conflict')
    },
  },
  {
    name: 'what was carried out is remembered beyond a restart of the agent',
    async run(stage) {
      const { driver, subject, guest } = stage
      await boot(stage)
      await driver.record(guest.id, { generation: 7, boots: 1, softBoots: 2 })
      const before = await must(driver, guest.id)
      await driver.close()
      const other = await subject.open()
      assert.deepEqual(await other.look(guest.id), before)
      assert.deepEqual(before.applied, { generation: 7, boots: 1, softBoots: 2 })
      await other.close()
    },
  },
  {
    name: 'a guest is paused and goes on, as the same process',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      const { pid } = await must(driver, guest.id)
      for (const _ of ['once', 'again']) await driver.pause(guest.id)
      await isNow(driver, guest.id, 'paused')
      for (const _ of ['once', 'again']) await driver.resume(guest.id)
      assert.deepEqual([(await must(driver, guest.id)).state, (await must(driver, guest.id)).pid], ['on', pid])
    },
  },
  {
    name: 'a guest may begin paused',
    async run({ driver, guest }) {
      await driver.prepare(guest)
      await driver.start(guest, none, 'paused')
      await isNow(driver, guest.id, 'paused')
    },
  },
  {
    name: 'the reset button keeps the process',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      const { pid } = await must(driver, guest.id)
      await driver.reset(guest.id)
      assert.deepEqual([(await must(driver, guest.id)).state, (await must(driver, guest.id)).pid], ['on', pid])
    },
  },
  {
    name: 'a stopped guest is off, stays off, and boots again',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      for (const _ of ['once', 'again']) await driver.stop(guest.id)
      assert.deepEqual([(await must(driver, guest.id)).state, (await must(driver, guest.id)).pid], ['off', 0])
      await boot(stage, 2)
      await isNow(driver, guest.id, 'on')
    },
  },
  {
    name: 'memory is kept by suspend and taken up by restore',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      await driver.suspend(guest.id)
      assert.deepEqual([(await must(driver, guest.id)).state, (await must(driver, guest.id)).pid], ['suspended', 0])
      await refuses(driver.resume(guest.id), 'conflict')
      await driver.restore(guest, 'running')
      await isNow(driver, guest.id, 'on')
      await driver.suspend(guest.id)
      await driver.restore(guest, 'paused')
      await isNow(driver, guest.id, 'paused')
    },
  },
  {
    name: 'a cold boot and a stop drop saved memory',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      await driver.suspend(guest.id)
      await boot(stage, 2)
      await isNow(driver, guest.id, 'on')
      await driver.suspend(guest.id)
      await driver.stop(guest.id)
      await isNow(driver, guest.id, 'off')
    },
  },
  {
    name: 'a guest whose process dies has crashed, those who watch hear it, and it boots again',
    async run(stage) {
      const { driver, subject, guest } = stage
      await boot(stage)
      const heard = new Set<string>()
      const unwatch = driver.watch((id) => heard.add(id))
      await subject.kill(driver, guest.id)
      await becomes(stage, 'crashed')
      await subject.until('heard', async () => heard.has(guest.id))
      unwatch()
      await boot(stage, 1)
      await isNow(driver, guest.id, 'on')
    },
  },
  {
    name: 'a guest that obeys the power button has ended, and is off once stopped',
    async run(stage) {
      const { driver, subject, guest } = stage
      await boot(stage)
      await subject.booted(driver, guest.id)
      await driver.press(guest.id)
      assert.ok((await must(driver, guest.id)).pressedAt)
      await becomes(stage, 'ended')
      await driver.stop(guest.id)
      await isNow(driver, guest.id, 'off')
      assert.equal((await must(driver, guest.id)).pressedAt, undefined)
    },
  },
  {
    name: 'a recorded number forgets the pressed button',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      await driver.press(guest.id)
      await driver.record(guest.id, { generation: 2, boots: 1, softBoots: 1 })
      assert.equal((await must(driver, guest.id)).pressedAt, undefined)
    },
  },
  {
    name: 'the end of the console is told, as many bytes as wanted',
    async run(stage) {
      const { driver, subject, guest } = stage
      await boot(stage)
      await subject.booted(driver, guest.id)
      assert.match(await driver.consoleLog(guest.id, 1 << 20), /READY/)
      assert.equal((await driver.consoleLog(guest.id, 5)).length, 5)
      await driver.tidy()
      assert.match(await driver.consoleLog(guest.id, 1 << 20), /READY/)
    },
  },
  {
    name: 'a guest waits for a device that is not there',
    async run({ driver, subject, guest }) {
      const nic = { portId: guest.id, device: 'nosuchdev0', mac: '52:54:00:00:00:01', mtu: 1450 }
      const wired = { ...guest, nics: [nic] }
      await subject.until('told', async () => !(await driver.prepare(wired)).ready)
      assert.deepEqual(await driver.prepare(wired), { ready: false, waitFor: 'nosuchdev0' })
      assert.deepEqual(await driver.prepare(guest), { ready: true })
    },
  },
  {
    name: 'a removed guest leaves nothing, whatever it did',
    async run(stage) {
      const { driver, guest } = stage
      await boot(stage)
      for (const _ of ['once', 'again']) await driver.remove(guest.id)
      assert.equal(await driver.look(guest.id), undefined)
      const { vms, files } = await driver.inventory()
      assert.ok(!vms.some(({ id }) => id === guest.id))
      assert.ok(!files.some((file) => file.includes(guest.id)))
    },
  },
]

/** Runs one case on a guest of its own, which is gone afterwards even when the case fails. */
export async function runCase({ run }: Case, subject: Subject): Promise<void> {
  const driver = await subject.open()
  const guest = subject.guest()
  const opened = [driver]
  let second: Promise<Hypervisor> | undefined
  const other = () => {
    second ??= subject.other().then((one) => {
      opened.push(one)
      return one
    })
    return second
  }
  try {
    await run({ driver, other, subject, guest })
  } finally {
    for (const one of opened) {
      await one.remove(guest.id)
      await one.close()
    }
  }
}
