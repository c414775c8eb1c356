import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { uuid } from '../../kit/ids.ts'
import type { Departure, Guest, GuestSeen, Hypervisor, Move, MoveSeen } from './driver.ts'
import { becomes, boot, type Case, isNow, must, refuses, type Stage } from './suite.ts'

const once = { boots: 1, softBoots: 0 }
const localhost = '127.0.0.1'

const newMove = (kind: Move['kind']): Move => ({ id: uuid(), kind, key: randomBytes(32).toString('hex') })

const moveOf = async (driver: Hypervisor, { id }: Guest): Promise<MoveSeen | undefined> => (await driver.look(id))?.move

/** The other host listens; gives where. */
async function opened({ other, guest, subject }: Stage, move: Move, as: 'running' | 'paused' = 'running'): Promise<Departure> {
  const driver = await other()
  assert.deepEqual(await driver.receive(guest, once, move, as), { ready: true })
  await subject.until('open', async () => (await moveOf(driver, guest))?.at === 'open')
  const { memoryPort, diskPort } = (await moveOf(driver, guest)) as MoveSeen
  return { ...move, address: localhost, memoryPort, diskPort, forced: false }
}

/** Sends until the move ends, as an agent does that asks again and again. */
const sent = ({ driver, guest, subject }: Stage, departure: Departure, end: MoveSeen['at']) =>
  subject.until(end, async () => {
    await driver.send(guest.id, departure)
    const move = await moveOf(driver, guest)
    assert.ok(move?.at === 'going' || move?.at === end, `${move?.at}: ${move?.error}`)
    return move.at === end
  })

const arrived = async ({ other, guest, subject }: Stage): Promise<GuestSeen> => {
  const driver = await other()
  await subject.until('arrived', async () => (await moveOf(driver, guest))?.at === 'arrived')
  return must(driver, guest.id)
}

/** What every driver does with guests that go from one host to another. */
export const moveSuite: Case[] = [
  {
    name: 'a guest that is waited for does not run, and is nobody’s to start',
    async run(stage) {
      const { other, guest } = stage
      const move = newMove('live')
      const departure = await opened(stage, move)
      const driver = await other()
      assert.ok(departure.diskPort > 0 && departure.memoryPort > 0)
      await isNow(driver, guest.id, 'arriving')
      const before = await moveOf(driver, guest)
      await driver.receive(guest, once, move, 'running')
      assert.deepEqual(await moveOf(driver, guest), before, 'asked again, nothing changes')
      await refuses(driver.start(guest, once, 'running'), 'conflict')
      await refuses(driver.prepare(guest), 'conflict')
    },
  },
  {
    name: 'a running guest goes over as it is, and never runs again where it was',
    async run(stage) {
      const { driver, subject, guest } = stage
      await boot(stage)
      await subject.booted(driver, guest.id)
      await sent(stage, await opened(stage, newMove('live')), 'left')
      const there = await arrived(stage)
      assert.deepEqual([there.state, there.applied.boots], ['on', 1])
      assert.ok(there.pid > 0)
      assert.ok(there.move && there.move.memory.left === 0 && there.move.disk.left === 0)
      const here = await must(driver, guest.id)
      assert.deepEqual([here.state, here.pid], ['left', 0])
      await refuses(driver.start(guest, once, 'running'), 'conflict')
      await driver.cancel(guest.id)
      await isNow(driver, guest.id, 'left')
    },
  },
  {
    name: 'who is told over and over to wait for a guest does not disturb its arrival',
    async run(stage) {
      const { driver, other, guest } = stage
      await boot(stage)
      const move = newMove('live')
      const departure = await opened(stage, move)
      const there = await other()
      const over = async () => (await moveOf(driver, guest))?.at === 'left' && (await moveOf(there, guest))?.at === 'arrived'
      const waiting = async () => {
        while (!(await over())) await there.receive(guest, once, move, 'running')
      }
      await Promise.all([waiting(), sent(stage, departure, 'left')])
      const { pid, state } = await arrived(stage)
      await there.receive(guest, once, move, 'running')
      assert.deepEqual([state, (await must(there, guest.id)).pid], ['on', pid])
    },
  },
  {
    name: 'a paused guest arrives paused',
    async run(stage) {
      await boot(stage)
      await stage.driver.pause(stage.guest.id)
      await sent(stage, await opened(stage, newMove('live'), 'paused'), 'left')
      assert.equal((await arrived(stage)).state, 'paused')
    },
  },
  {
    name: 'a guest may come back to where it left',
    async run(stage) {
      const { driver, other, guest } = stage
      await boot(stage)
      await sent(stage, await opened(stage, newMove('live')), 'left')
      await arrived(stage)
      const there = await other()
      const back: Stage = { ...stage, driver: there, other: async () => driver }
      await sent(back, await opened(back, newMove('live')), 'left')
      assert.equal((await arrived(back)).state, 'on')
      await isNow(there, guest.id, 'left')
    },
  },
  {
    name: 'a guest that is off goes over, is off there, and boots there',
    async run(stage) {
      const { driver, other, subject, guest } = stage
      await boot(stage)
      await subject.booted(driver, guest.id)
      // It writes what it has before: only a whole disk shows that it came over whole.
      await driver.press(guest.id)
      await becomes(stage, 'ended')
      await driver.stop(guest.id)
      const departure = await opened(stage, newMove('cold'))
      assert.equal(departure.memoryPort, 0)
      await sent(stage, departure, 'left')
      assert.deepEqual([(await arrived(stage)).state, (await must(driver, guest.id)).state], ['off', 'left'])
      const there = await other()
      await boot({ ...stage, driver: there }, 2)
      await subject.booted(there, guest.id)
    },
  },
  {
    name: 'a guest that left switched off comes back as it was, one that left running does not',
    async run(stage) {
      const { driver, guest, other } = stage
      for (const kind of ['cold', 'live'] as const) {
        await boot(stage)
        if (kind === 'cold') await driver.stop(guest.id)
        await sent(stage, await opened(stage, newMove(kind)), 'left')
        await arrived(stage)
        await (await other()).remove(guest.id)
        for (const _ of [1, 2]) await driver.regain(guest.id)
        await isNow(driver, guest.id, kind === 'cold' ? 'off' : 'left')
      }
    },
  },
  {
    name: 'who has another key is refused, and the guest goes on',
    async run(stage) {
      const { driver, other, guest } = stage
      await boot(stage)
      const { pid } = await must(driver, guest.id)
      const departure = await opened(stage, newMove('live'))
      await sent(stage, { ...departure, key: randomBytes(32).toString('hex') }, 'failed')
      assert.ok((await moveOf(driver, guest))?.error)
      assert.deepEqual([(await must(driver, guest.id)).state, (await must(driver, guest.id)).pid], ['on', pid])
      await isNow(await other(), guest.id, 'arriving')
    },
  },
  {
    name: 'a failed move is not begun again, and another is',
    async run(stage) {
      const { driver, other, guest } = stage
      await boot(stage)
      const departure = await opened(stage, newMove('live'))
      const closed = { ...departure, id: uuid(), diskPort: 1, memoryPort: 1 }
      await sent(stage, closed, 'failed')
      await driver.send(guest.id, closed)
      assert.equal((await moveOf(driver, guest))?.at, 'failed')
      await sent(stage, departure, 'left')
      await arrived(stage)
      await isNow(await other(), guest.id, 'on')
    },
  },
  {
    name: 'a guest that does not run does not go with its memory, and one that runs not without',
    async run(stage) {
      const { driver, other, guest } = stage
      await driver.prepare(guest)
      await sent(stage, await opened(stage, newMove('live')), 'failed')
      await isNow(driver, guest.id, 'off')
      await (await other()).remove(guest.id)
      await boot(stage)
      await sent(stage, await opened(stage, newMove('cold')), 'failed')
      await isNow(driver, guest.id, 'on')
    },
  },
  {
    name: 'a guest that nobody waits for any more leaves nothing there',
    async run(stage) {
      const { driver, other, guest } = stage
      await boot(stage)
      const departure = await opened(stage, newMove('live'))
      const there = await other()
      await there.remove(guest.id)
      assert.equal(await there.look(guest.id), undefined)
      await sent(stage, departure, 'failed')
      await isNow(driver, guest.id, 'on')
    },
  },
  {
    name: 'what a host takes without the memory having come has crashed',
    async run(stage) {
      const { other, guest } = stage
      await opened(stage, newMove('live'))
      const there = await other()
      for (const _ of ['once', 'again']) await there.take(guest.id)
      assert.deepEqual([(await must(there, guest.id)).state, (await moveOf(there, guest))?.at], ['crashed', 'arrived'])
      await boot({ ...stage, driver: there }, 2)
      await becomes({ ...stage, driver: there }, 'on')
    },
  },
]
