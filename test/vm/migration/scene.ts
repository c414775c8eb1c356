import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage } from '../../../images/build.ts'
import type { Vm } from '../../../src/agents/document.ts'
import type { GuestImage } from '../../../src/drivers/hypervisor/driver.ts'
import { readQcow2 } from '../../../src/drivers/hypervisor/qemu/qcow2.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import { uuid } from '../../../src/kit/ids.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { guestIp, guestMac, mtu, serveNetwork } from '../hypervisor/network.ts'
import { until } from '../hypervisor/world.ts'
import { bridge, type Host, openHost, tap } from './hosts.ts'

export type Prove = (what: string, proof: () => Promise<unknown>) => Promise<void>

export type Scene = {
  exec: Exec
  hosts: [Host, Host]
  /** A guest with network, on. */
  guest(): Vm
  /** What a command in the guest says. */
  ssh(command: string): Promise<string>
  answers(): Promise<void>
  close(): Promise<void>
}

/** Two hosts around a network in which guests get an address and metadata. */
export async function openScene(exec: Exec, dir: string, cacheDir: string): Promise<Scene> {
  const file = join(dir, 'mini.qcow2')
  await buildImage({ exec, log: silentLog, outFile: file, cacheDir })
  const image = await describe(file)
  const key = join(dir, 'key')
  await exec.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key])
  await exec.run(['ip', 'link', 'set', 'lo', 'up'])
  for (const name of [bridge, 'br-mgmt']) {
    await exec.run(['ip', 'link', 'add', name, 'type', 'bridge'])
    await exec.run(['ip', 'link', 'set', name, 'up'])
  }
  const metadata = { uuid: uuid(), hostname: 'proof.example', public_keys: { mykey: await readFile(`${key}.pub`, 'utf8') } }
  const network = await serveNetwork(exec, dir, bridge, { 'meta_data.json': JSON.stringify(metadata) })
  const images: [GuestImage, string][] = [[image, file]]
  const hosts: [Host, Host] = [await openHost(exec, dir, 'one', 1, images), await openHost(exec, dir, 'two', 2, images)]
  for (const host of hosts) await host.start()
  const ssh = (command: string) => exec.run(sshArgs(key, command))
  return {
    exec,
    hosts,
    guest: () => guestOver(image),
    ssh,
    answers: () =>
      until('ssh', () =>
        ssh('true').then(
          () => true,
          () => false,
        ),
      ),
    async close() {
      for (const host of hosts) await host.close()
      await network.close()
    },
  }
}

const guestOver = (image: GuestImage): Vm => ({
  id: uuid(),
  generation: 0,
  name: 'proof',
  vcpus: 1,
  memoryMb: 128,
  diskGb: 1,
  image,
  power: 'on',
  boots: 1,
  softBoots: 0,
  graceSeconds: 60,
  nics: [{ portId: uuid(), device: tap, mac: guestMac, mtu }],
  configDrive: undefined,
  requestId: 'req-test',
})

const sshArgs = (key: string, command: string) => [
  ...['ssh', '-i', key],
  ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=5'].flatMap(
    (option) => ['-o', option],
  ),
  ...[`root@${guestIp}`, command],
]

async function describe(path: string): Promise<GuestImage> {
  const bytes = await readFile(path)
  const sha512 = createHash('sha512').update(bytes).digest('hex')
  const virtualSizeBytes = (await readQcow2(path))?.virtualSizeBytes ?? 0
  return { id: uuid(), format: 'qcow2', sizeBytes: bytes.length, sha512, virtualSizeBytes }
}
