/** The part of the test that is killed: boots one guest and stays. `node agent.ts STATE_DIR GUEST_FILE`, the guest prepared before. */
import { readFile } from 'node:fs/promises'
import type { Guest } from '../../../src/drivers/hypervisor/driver.ts'
import { openQemu } from '../../../src/drivers/hypervisor/qemu/qemu.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'

const [stateDir = '', file = ''] = process.argv.slice(2)
const guest = JSON.parse(await readFile(file, 'utf8')) as Guest
const driver = openQemu({
  exec: openExec(silentLog),
  log: silentLog,
  clock: systemClock(),
  stateDir,
  accelerator: 'tcg',
  blob: () => Promise.reject(new Error('the image is here')),
})
console.log('begin')
await driver.start(guest, { boots: 1, softBoots: 0 }, 'running')
console.log('started')
setInterval(() => {}, 60_000)
