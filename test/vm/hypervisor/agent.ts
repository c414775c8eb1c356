/**
 * The part of the test that is killed: `node agent.ts STATE_DIR GUEST_FILE once` boots a prepared guest; with `busy` it goes on to
 * suspend, restore, stop and boot it as fast as it can.
 */
import { readFile } from 'node:fs/promises'
import type { Guest } from '../../../src/drivers/hypervisor/driver.ts'
import { openQemu } from '../../../src/drivers/hypervisor/qemu/qemu.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'

const [stateDir = '', file = '', mode = 'once'] = process.argv.slice(2)
const guest = JSON.parse(await readFile(file, 'utf8')) as Guest
const driver = openQemu({
  exec: openExec(silentLog),
  log: silentLog,
  clock: systemClock(),
  stateDir,
  accelerator: 'tcg',
  blob: () => Promise.reject(new Error('the image is here')),
})
const start = async () => {
  const boots = (await driver.look(guest.id))?.applied.boots ?? 0
  await driver.start(guest, { boots: boots + 1, softBoots: 0 }, 'running')
}
console.log('begin')
await start()
while (mode === 'busy') {
  await driver.suspend(guest.id)
  await driver.restore(guest, 'running')
  await driver.pause(guest.id)
  await driver.resume(guest.id)
  await driver.stop(guest.id)
  await driver.prepare(guest)
  await start()
}
setInterval(() => {}, 60_000)
