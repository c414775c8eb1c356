import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Exec, openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'

const script = fileURLToPath(new URL('./simhost', import.meta.url))
const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

export type SimHost = {
  name: string
  address: string
  /** Runs a program there and gives what it said, whatever its code. */
  run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** The same, by a shell; throws when it ends badly. */
  sh(line: string): Promise<string>
}

export type SimHosts = { up(name: string, address: string): Promise<SimHost>; key: string; down(): Promise<void> }

/** Hosts in namespaces of this machine, each with its own files, processes, network and sshd; one key opens root on all. As root. */
export function simHosts(): SimHosts {
  const exec: Exec = openExec(silentLog)
  const folder = mkdtempSync(join(tmpdir(), 'altostack-simhosts-'))
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  // A copy: a program that is being worked on would be another one at each run.
  const clone = join(folder, 'clone')
  const parts = ['bin', 'src', 'images', 'node_modules', 'package.json', 'package-lock.json', 'packstack', 'LICENSE', 'README.md']
  mkdirSync(clone)
  execFileSync('cp', ['-a', '--reflink=auto', ...parts.map((part) => join(repository, part)), clone])
  const names: string[] = []
  return {
    key: readFileSync(join(folder, 'key'), 'utf8'),
    async up(name, address) {
      names.push(name)
      await exec.run([script, 'up', name, `${address}/24`, join(folder, 'key.pub'), clone])
      const run = (...argv: string[]) => exec.attempt([script, 'exec', name, ...argv], { timeoutMs: 120_000 })
      const sh = async (line: string) => {
        const { code, stdout, stderr } = await run('sh', '-c', line)
        if (code !== 0) throw new Error(`${name}: ${line} ended with ${code}: ${stdout}${stderr}`)
        return stdout
      }
      return { name, address, run, sh }
    },
    async down() {
      for (const name of names) await exec.attempt([script, 'down', name], { timeoutMs: 60_000 })
      await exec.attempt([script, 'cleanup'])
      rmSync(folder, { recursive: true })
    },
  }
}
