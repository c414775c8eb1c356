/**
 * The agent of guests of one of the hosts, to be killed: `node agent.ts STATE_DIR ADDRESS DESK`. DESK is a folder that plays the controller:
 * `desired.json` is what should be, `seen.json` what is, `images/ID` are images.
 */
import { createReadStream, watch } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControllerLink } from '../../../src/agents/document.ts'
import { startRounds } from '../../../src/agents/rounds.ts'
import { vmAgent } from '../../../src/agents/vm/index.ts'
import { openQemu } from '../../../src/drivers/hypervisor/qemu/qemu.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { openLog } from '../../../src/kit/log.ts'

const [stateDir = '', address = '', desk = ''] = process.argv.slice(2)
const log = openLog({ level: 'info' })
const clock = systemClock()
const link: ControllerLink = {
  desired: async () => JSON.parse(await readFile(join(desk, 'desired.json'), 'utf8')),
  async report(_, seen) {
    await writeFile(join(desk, 'seen.new'), JSON.stringify(seen))
    await rename(join(desk, 'seen.new'), join(desk, 'seen.json'))
  },
  facts: async () => {},
  blob: async (id) => createReadStream(join(desk, 'images', id)),
  metadata: () => Promise.reject(new Error('not here')),
}
const driver = openQemu({ exec: openExec(log), log, clock, stateDir, address, accelerator: 'tcg', blob: link.blob })
const rounds = startRounds({ agent: vmAgent({ driver, clock, log }), link, log, everyMs: 2000 })
watch(desk, (_, name) => name === 'desired.json' && rounds.hint())
