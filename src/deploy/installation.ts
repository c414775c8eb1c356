import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { imagePackages } from '../../images/packages.ts'
import type { Accelerator } from '../drivers/hypervisor/qemu/accelerator.ts'
import { type Exec, openExec } from '../kit/exec/exec.ts'
import { openLog, silentLog } from '../kit/log.ts'
import { type DaemonName, daemonsOf } from './config.ts'
import { probe } from './guest.ts'
import { type Distribution, distributionOf } from './packages.ts'
import { mark, type Place } from './place.ts'
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
  /** What runs here, as it was installed. */
  daemonNames: readonly DaemonName[]
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
  const logFile = logFileIn(place, new Date())
  const daemonNames = await daemonsOf(place)
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
    supervision: supervision(place, exec, daemonNames),
    daemonNames,
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

/** `/var/tmp/packstack/20260101-120000-a1b2c3/openstack-setup.log`, where packstack has it. */
function logFileIn({ runs }: Place, at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`
  const time = `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`
  return join(runs, `${day}-${time}-${randomBytes(3).toString('hex')}`, 'openstack-setup.log')
}

/** Begins the file at the first line, so that a look at the machine leaves nothing. `latest` points at the newest run. */
const appendTo = (file: string) => {
  let isBegun = false
  return (line: string) => {
    if (!isBegun) begin(file)
    isBegun = true
    appendFileSync(file, logLine(line))
  }
}

function begin(file: string): void {
  const run = dirname(file)
  mkdirSync(run, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${mark}\n`, { mode: 0o600 })
  const latest = join(dirname(run), 'latest')
  rmSync(latest, { force: true })
  symlinkSync(basename(run), latest)
}

type Logged = { time?: string; level?: string; name?: string; msg?: string; argv?: string[]; code?: number; ms?: number }

/** `time::LEVEL::module::line::logger::message`, the fields of packstack's log. */
function logLine(json: string): string {
  const { time = '', level = 'info', name = '', msg = '', argv, code, ms } = JSON.parse(json) as Logged
  const told = argv === undefined ? '' : ` ${argv.join(' ')}: ${code} after ${ms} ms`
  return `${time}::${level.toUpperCase()}::${name}::-::root::${msg}${told}\n`
}
