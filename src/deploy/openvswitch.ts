import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Exec } from '../kit/exec/exec.ts'
import { exists, write } from './files.ts'
import { mark, type Place } from './place.ts'
import { hasSystemd } from './supervision/choose.ts'
import { keep, keeperOf, release } from './supervision/loop.ts'

/** Says that no Open vSwitch ran here before us, so that it is ours to keep running and, at the end, to stop. */
const oursFile = (place: Place) => join(place.config, 'openvswitch')

const unit = 'openvswitch-switch.service'

/** Whether both daemons answer. */
export async function answers(exec: Exec): Promise<boolean> {
  const asks = [
    ['ovs-vsctl', '--timeout=3', 'get', 'Open_vSwitch', '.', '_uuid'],
    ['ovs-appctl', '--timeout=3', '--target=ovs-vswitchd', 'version'],
  ]
  for (const argv of asks) {
    const result = await exec.attempt(argv, { timeoutMs: 5000 }).catch(() => undefined)
    if (result?.code !== 0) return false
  }
  return true
}

export const isOurs = (place: Place): Promise<boolean> => exists(oursFile(place))

export async function isSwitchReady(place: Place, exec: Exec): Promise<boolean> {
  if (!(await answers(exec))) return false
  return hasSystemd() || !(await isOurs(place)) || (await keeperOf(place, 'openvswitch')) !== undefined
}

export async function startSwitch(place: Place, exec: Exec): Promise<void> {
  if (hasSystemd()) {
    const { code } = await exec.attempt(['systemctl', 'enable', '--now', unit], { timeoutMs: 90_000 })
    if (code !== 0) await exec.run(['systemctl', 'enable', '--now', 'openvswitch.service'], { timeoutMs: 90_000 })
  } else {
    await write({ path: oursFile(place), text: `${mark}\n`, mode: 0o644 })
    if ((await keeperOf(place, 'openvswitch')) === undefined)
      await keep(place, 'openvswitch', join(place.log, 'openvswitch.log'), [join(place.program, 'bin/openvswitch')])
  }
  for (let turn = 0; turn < 150; turn++) {
    if (await answers(exec)) return
    await pause(100)
  }
  throw new Error(`Open vSwitch does not answer; see ${join(place.log, 'openvswitch.log')} and /var/log/openvswitch`)
}

/** Stops it if it was us who started it. */
export async function stopSwitch(place: Place): Promise<void> {
  if (!hasSystemd() && (await isOurs(place))) await release(place, 'openvswitch')
}
