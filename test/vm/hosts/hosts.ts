import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Exec, openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'

const script = fileURLToPath(new URL('./simhost', import.meta.url))
const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

export type Said = { code: number; stdout: string; stderr: string }
/** The four cards of a host, by what they are plugged into. */
export type Net = 'mgmt' | 'tun' | 'phys' | 'ext'

export type SimHost = {
  name: string
  address: string
  /** Its root folder, seen from here. */
  files: string
  /** Runs a program there and gives what it said, whatever its code. */
  run(...argv: string[]): Promise<Said>
  /** The same, by a shell; throws when it ends badly. */
  sh(line: string): Promise<string>
  /** Everything that runs there is gone at once; files stay, and /etc/rc.local is run. */
  reboot(): Promise<void>
  cable(net: Net, state: 'up' | 'down'): Promise<void>
}

export type SimHosts = {
  /** `tunnel`: an address for its second card. */
  up(name: string, address: string, tunnel?: string): Promise<SimHost>
  key: string
  keyFile: string
  /** Runs a program where the cables end, or in the world outside. */
  fabric(...argv: string[]): Promise<Said>
  outside(...argv: string[]): Promise<Said>
  down(): Promise<void>
}

/** A fabric of its own: hosts of several tests may stand on one machine at the same time. */
export type Fabric = { name: string; gateway: string; outside?: string }

/** Hosts in namespaces of this machine, each with its own files, processes, network and sshd; one key opens root on all. As root. */
export function simHosts(fabric?: Fabric): SimHosts {
  const exec: Exec = openExec(silentLog)
  const folder = mkdtempSync(join(tmpdir(), 'altostack-simhosts-'))
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  // A copy: a program that is being worked on would be another one at each run.
  const clone = join(folder, 'clone')
  const parts = ['bin', 'src', 'images', 'node_modules', 'package.json', 'package-lock.json', 'packstack', 'LICENSE', 'README.md']
  mkdirSync(clone)
  execFileSync('cp', ['-a', '--reflink=auto', ...parts.map((part) => join(repository, part)), clone])
  const env = {
    ...(fabric && { ALTOSTACK_FABRIC: fabric.name, ALTOSTACK_FABRIC_GATEWAY: fabric.gateway }),
    ...(fabric?.outside !== undefined && { ALTOSTACK_FABRIC_OUTSIDE: fabric.outside }),
  }
  const simhost = (...argv: string[]) => exec.run([script, ...argv], { env })
  const attempt = (...argv: string[]) => exec.attempt([script, ...argv], { env, timeoutMs: 180_000 })
  // What a run that was killed has left.
  const isClean = attempt('cleanup')
  return {
    key: readFileSync(join(folder, 'key'), 'utf8'),
    keyFile: join(folder, 'key'),
    async up(name, address, tunnel) {
      await isClean
      const more = tunnel === undefined ? [] : [`${tunnel}/24`]
      await simhost('up', name, `${address}/24`, join(folder, 'key.pub'), clone, ...more)
      const run = (...argv: string[]) => attempt('exec', name, ...argv)
      const sh = async (line: string) => {
        const { code, stdout, stderr } = await run('sh', '-c', line)
        if (code !== 0) throw new Error(`${name}: ${line} ended with ${code}: ${stdout}${stderr}`)
        return stdout
      }
      return {
        name,
        address,
        files: `/run/altostack-simhosts/${fabric?.name ?? 'altofab'}/${name}/r`,
        run,
        sh,
        reboot: async () => void (await simhost('reboot', name)),
        cable: async (net, state) => void (await simhost('cable', name, net, state)),
      }
    },
    fabric: (...argv) => attempt('fabric', ...argv),
    outside: (...argv) => attempt('outside', ...argv),
    async down() {
      await attempt('cleanup')
      rmSync(folder, { recursive: true })
    },
  }
}
