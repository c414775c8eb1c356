import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../../kit/exec/exec.ts'
import { isWritten, write } from '../files.ts'
import type { Place } from '../place.ts'
import { isCurrent } from './processes.ts'
import { type Daemon, daemons } from './services.ts'
import type { Supervised, Supervision } from './supervision.ts'
import { unitName, unitText } from './units.ts'

export function systemdSupervision(place: Place, exec: Exec, which: readonly Daemon['name'][]): Supervision {
  const all = daemons(place, which)
  const files = all.map((daemon) => ({ path: join(place.units, unitName(daemon)), text: unitText(daemon, place), mode: 0o644 }))
  const systemctl = (...args: string[]) => exec.run(['systemctl', ...args], { timeoutMs: 90_000 })
  const names = all.map(unitName)

  const look = async (daemon: Daemon): Promise<Supervised> => {
    const text = await systemctl('show', '--property=MainPID,NRestarts,ActiveState', unitName(daemon))
    const facts = new Map(text.split('\n').map((line) => line.split('=', 2) as [string, string]))
    const pid = Number(facts.get('MainPID')) || undefined
    return {
      name: daemon.name,
      isKept: ['active', 'activating', 'reloading'].includes(facts.get('ActiveState') ?? ''),
      isCurrent: pid !== undefined && (await isCurrent(pid, place.program, place.configFile)),
      starts: Number(facts.get('NRestarts') ?? 0) + 1,
      ...(pid !== undefined && { pid }),
    }
  }
  return {
    kind: 'systemd',
    isSetUp: async () => (await Promise.all(files.map(isWritten))).every(Boolean),
    async setUp() {
      for (const file of files) await write(file)
      await systemctl('daemon-reload')
      await systemctl('enable', ...names)
    },
    async start() {
      for (const daemon of all) {
        const seen = await look(daemon)
        if (!seen.isKept) await systemctl('start', unitName(daemon))
        else if (!seen.isCurrent) await systemctl('restart', unitName(daemon))
      }
    },
    stop: async () => void (await systemctl('stop', ...names)),
    async remove() {
      await exec.attempt(['systemctl', 'disable', ...names])
      for (const { path } of files) await rm(path, { force: true })
      await systemctl('daemon-reload')
    },
    look: () => Promise.all(all.map(look)),
  }
}
