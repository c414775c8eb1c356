import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { imagePackages } from '../../images/packages.ts'
import { type Exec, openExec } from '../kit/exec/exec.ts'
import { openLog, silentLog } from '../kit/log.ts'
import type { Accelerator } from './answers.ts'
import { probe } from './guest.ts'
import { type Distribution, distributionOf } from './packages.ts'
import type { Place } from './place.ts'
import { localAddress } from './preflight/facts.ts'
import { supervision } from './supervision/choose.ts'
import type { Supervision } from './supervision/supervision.ts'

/** The machine as the deployer sees it. */
export type Installation = {
  place: Place
  exec: Exec
  /** Where this program runs from: a clone, or where it is installed. */
  clone: string
  /** The address that clients use; undefined: the machine has none. */
  host: string | undefined
  distribution: Distribution | undefined
  supervision: Supervision
  /** What guests run by, asked once. */
  probe: () => Promise<Accelerator>
  logFile: string
  sudoUser?: string
}

/** `isLogged`: whether commands are written down; taking everything away leaves no log either. */
export async function openInstallation(
  place: Place,
  clone: string,
  sudoUser: string | undefined,
  isLogged: boolean,
): Promise<Installation> {
  const logFile = join(place.log, 'packstack.log')
  const exec = openExec(
    isLogged && process.getuid?.() === 0 ? openLog({ name: 'packstack', level: 'debug', write: appendTo(logFile) }) : silentLog,
  )
  let probed: Promise<Accelerator> | undefined
  return {
    place,
    exec,
    clone,
    host: await localAddress(),
    distribution: distributionOf(readFileSync('/etc/os-release', 'utf8'), process.arch, imagePackages),
    supervision: supervision(place, exec),
    probe: () => {
      probed ??= probe(exec).catch((error) => {
        probed = undefined
        throw error
      })
      return probed
    },
    logFile,
    ...(sudoUser !== undefined && { sudoUser }),
  }
}

/** Begins the file at the first line, so that a look at the machine leaves nothing. */
const appendTo = (file: string) => (line: string) => {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o750 })
  appendFileSync(file, line, { mode: 0o600 })
}
