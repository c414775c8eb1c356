import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Vm, VmSeen } from '../../../src/agents/document.ts'
import type { GuestImage } from '../../../src/drivers/hypervisor/driver.ts'
import { type Place, placeOf } from '../../../src/drivers/hypervisor/qemu/place.ts'
import { findProcesses } from '../../../src/drivers/hypervisor/qemu/processes.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import { until } from '../hypervisor/world.ts'

export const tap = 'tap-proof'
/** Of the fabric, to which every host's guests are connected. */
export const bridge = 'br-fabric'

/** A host: a network namespace, a folder, and an agent that may die. */
export type Host = {
  name: string
  address: string
  /** Starts the agent, unless it runs. */
  start(): Promise<void>
  /** Kills the agent. */
  kill(): Promise<void>
  /** What should be from now on. */
  want(...items: Vm[]): Promise<void>
  /** What the agent told last. */
  seen(id: string): Promise<VmSeen | undefined>
  place(id: string): Place
  /** Of the guest's QEMU; 0: none. */
  pid(id: string): Promise<number>
  /** What listens for others, or is connected: `address:port`. */
  sockets(state: 'listening' | 'established'): Promise<string[]>
  close(): Promise<void>
}

/** Beside the fabric, which is the namespace this process is in: with a wire for the host and a bridge for its guests. */
export async function openHost(
  exec: Exec,
  dir: string,
  name: string,
  number: number,
  images: [GuestImage, string][],
): Promise<Host> {
  const namespace = `${name}-${process.pid}`
  const address = `10.78.0.${number}`
  const [desk, stateDir] = [join(dir, `${name}-desk`), join(dir, name)]
  await mkdir(join(desk, 'images'), { recursive: true })
  for (const [image, file] of images) await symlink(file, join(desk, 'images', image.id))
  await wire(exec, namespace, number, address)
  let agent: ChildProcess | undefined

  const want = async (...items: Vm[]) => {
    await writeFile(join(desk, 'desired.new'), JSON.stringify({ complete: true, items }))
    await rename(join(desk, 'desired.new'), join(desk, 'desired.json'))
  }
  const kill = async () => {
    const gone = agent && once(agent, 'exit')
    agent?.kill('SIGKILL')
    agent = undefined
    await gone
  }
  const pidsOf = async (id: string) => (await findProcesses(stateDir)).get(id) ?? []
  await want()
  return {
    name,
    address,
    async start() {
      if (agent) return
      const log = await open(join(dir, `${name}.log`), 'a')
      const argv = ['netns', 'exec', namespace, process.execPath, fileURLToPath(new URL('agent.ts', import.meta.url))]
      agent = spawn('ip', [...argv, stateDir, address, desk], { stdio: ['ignore', log.fd, log.fd] })
      await log.close()
    },
    kill,
    want,
    async seen(id) {
      const text = await readFile(join(desk, 'seen.json'), 'utf8').catch(() => '[]')
      return (JSON.parse(text) as VmSeen[]).find((one) => one.id === id)
    },
    place: (id) => placeOf(stateDir, id),
    pid: async (id) => (await pidsOf(id))[0] ?? 0,
    async sockets(state) {
      const text = await exec.run(['ip', 'netns', 'exec', namespace, 'ss', '-Htn', 'state', state])
      return text.split('\n').flatMap((line) => line.split(/\s+/)[2] ?? [])
    },
    async close() {
      await kill()
      for (const pids of (await findProcesses(stateDir)).values()) for (const pid of pids) process.kill(pid, 'SIGKILL')
      await until('no QEMU', async () => (await findProcesses(stateDir)).size === 0)
      await exec.run(['ip', 'netns', 'del', namespace])
    },
  }
}

async function wire(exec: Exec, namespace: string, number: number, address: string): Promise<void> {
  const ip = (...args: string[]) => exec.run(['ip', ...args])
  const inside = (...args: string[]) => exec.run(['ip', '-n', namespace, ...args])
  await ip('netns', 'add', namespace)
  for (const kind of ['mgmt', 'data']) {
    await ip('link', 'add', `${kind}${number}`, 'type', 'veth', 'peer', 'name', kind, 'netns', namespace)
    await ip('link', 'set', `${kind}${number}`, 'master', kind === 'data' ? bridge : 'br-mgmt', 'up')
    await inside('link', 'set', kind, 'up')
  }
  await inside('link', 'set', 'lo', 'up')
  await inside('addr', 'add', `${address}/24`, 'dev', 'mgmt')
  await inside('link', 'add', 'guests', 'type', 'bridge')
  await inside('link', 'set', 'data', 'master', 'guests')
  await inside('tuntap', 'add', 'dev', tap, 'mode', 'tap')
  await inside('link', 'set', tap, 'master', 'guests', 'up')
  await inside('link', 'set', 'guests', 'up')
}
