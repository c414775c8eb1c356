import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildImage } from '../../../images/build.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { type Said, type SimHost, type SimHosts, simHosts } from '../hosts/hosts.ts'
import { prove } from '../installed.ts'

/** The article's machines: the first is controller, network and compute host, the second a compute host. */
export type World = {
  sims: SimHosts
  /** stack-kvm110 and stack-01. */
  first: SimHost
  second: SimHost
  /** A line as a user types it in root's shell of the first host, after `source keystonerc_admin`. */
  typed(line: string): Promise<Said>
  /** The same; throws unless it ends with 0. Gives what it said, errors too. */
  did(line: string): Promise<string>
}

export const addresses = {
  first: '192.168.1.110',
  second: '192.168.1.64',
  tunnelFirst: '9.181.129.110',
  tunnelSecond: '9.181.129.64',
}

/** Two hosts with four cards each, and the router to the outside, 192.168.1.1. */
export async function openWorld(): Promise<World> {
  const sims = simHosts({ name: 'article', gateway: '192.168.1.254/24', outside: '192.168.1.1/24' })
  try {
    const [first, second] = await Promise.all([
      sims.up('stack-kvm110', addresses.first, addresses.tunnelFirst),
      sims.up('stack-01', addresses.second, addresses.tunnelSecond),
    ])
    return worldOf(sims, first, second)
  } catch (error) {
    await sims.down()
    throw error
  }
}

async function worldOf(sims: SimHosts, first: SimHost, second: SimHost): Promise<World> {
  for (const host of [first, second]) {
    // The article's machines have no other clients, and their init starts the cloud as the documentation says.
    await host.sh('rm -f /usr/bin/neutron /usr/bin/nova /usr/bin/nova-manage')
    await host.sh(`printf '#!/bin/sh\\n/opt/altostack/bin/packstack --start\\n' >/etc/rc.local; chmod +x /etc/rc.local`)
  }
  await guestImage(join(first.files, 'var/lib/altostack'))
  await first.sh(`umask 077; cat >/root/.ssh/id_ed25519 <<'K'\n${sims.key}K\n`)
  const typed = (line: string) => first.run('bash', '-c', `cd /root\n. ./keystonerc_admin\n${line}`)
  const did = async (line: string) => {
    const { code, stdout, stderr } = await typed(line)
    assert.equal(code, 0, `${line}\nended with ${code}:\n${stdout}${stderr}`)
    return stdout + stderr
  }
  return { sims, first, second, typed, did }
}

/** These hosts reach no package source: the parts of the guest come from that of this machine. */
async function guestImage(folder: string): Promise<void> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'altostack-packages-'))
  mkdirSync(folder, { recursive: true })
  await buildImage({ exec: openExec(silentLog), log: silentLog, outFile: join(folder, 'mini.qcow2'), cacheDir })
  rmSync(cacheDir, { recursive: true })
}

export type Level = 'literal' | 'corrected' | 'traffic'

/** A line of the article, named by its number (packstack.md calls them A1 to F15) and the level it is proven at. */
export const line = (level: Level, number: string, what: string, run: () => Promise<unknown>): Promise<unknown> =>
  prove(`${level.padEnd(9)} ${number.padEnd(3)} ${what}`, run)

/** It ends with this code and says each of these. */
export function says({ code, stdout, stderr }: Said, expected: number, ...patterns: readonly RegExp[]): string {
  const all = stdout + stderr
  assert.equal(code, expected, all)
  for (const pattern of patterns) assert.match(all, pattern)
  return all
}
