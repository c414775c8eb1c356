import { existsSync } from 'node:fs'
import type { Exec } from '../../kit/exec/exec.ts'
import type { Place } from '../place.ts'
import { loopSupervision } from './loop.ts'
import type { Daemon } from './services.ts'
import type { Supervision } from './supervision.ts'
import { systemdSupervision } from './systemd.ts'

/** systemd makes this folder when it is PID 1 (sd_booted(3)). */
export const hasSystemd = (): boolean => existsSync('/run/systemd/system')

export const supervision = (place: Place, exec: Exec, names: readonly Daemon['name'][]): Supervision =>
  hasSystemd() ? systemdSupervision(place, exec, names) : loopSupervision(place, names)
