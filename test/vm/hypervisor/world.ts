import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildImage } from '../../../images/build.ts'
import type { Guest, GuestImage, Hypervisor } from '../../../src/drivers/hypervisor/driver.ts'
import { readQcow2 } from '../../../src/drivers/hypervisor/qemu/qcow2.ts'
import { openQemu } from '../../../src/drivers/hypervisor/qemu/qemu.ts'
import type { Subject } from '../../../src/drivers/hypervisor/suite.ts'
import { systemClock } from '../../../src/kit/clock.ts'
import type { Exec } from '../../../src/kit/exec/exec.ts'
import { uuid } from '../../../src/kit/ids.ts'
import { openLog } from '../../../src/kit/log.ts'

export type World = {
  stateDir: string
  image: GuestImage
  /** The same, not packed. */
  rawImage: GuestImage
  open(): Hypervisor
  guest(more?: Partial<Guest>): Guest
  subject: Subject
  /** How often an image was fetched. */
  downloads(): number
}

/** Waits until it holds. Throws, naming what was waited for. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 90): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    if (await holds()) return
    await delay(50)
  }
  throw new Error(`${what}: not within ${seconds} s`)
}

/** A host of its own below this folder, with the small guest image. */
export async function openWorld(exec: Exec, dir: string, cacheDir: string): Promise<World> {
  const log = openLog({ level: 'warn' })
  const imageFile = join(dir, 'mini.qcow2')
  await buildImage({ exec, log, outFile: imageFile, cacheDir })
  const rawFile = join(dir, 'mini.raw')
  await exec.run(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', imageFile, rawFile])
  const [image, rawImage] = [await describe(imageFile, 'qcow2'), await describe(rawFile, 'raw')]
  const stateDir = join(dir, 'host')
  const clock = systemClock()
  let downloads = 0
  const blob = async (id: string) => {
    downloads++
    return createReadStream(id === rawImage.id ? rawFile : imageFile)
  }
  const open = (dir = stateDir) => openQemu({ exec, log, clock, stateDir: dir, accelerator: 'tcg', blob })
  const guest = (more: Partial<Guest> = {}): Guest => ({
    id: uuid(),
    name: 'proof',
    vcpus: 1,
    memoryMb: 128,
    diskGb: 1,
    image,
    nics: [],
    configDrive: { 'openstack/latest/meta_data.json': Buffer.from('{"hostname": "proof"}').toString('base64') },
    ...more,
  })
  const subject: Subject = {
    open: async () => open(),
    other: async () => open(join(dir, 'other')),
    guest,
    booted: (driver, id) => until('READY', async () => (await driver.consoleLog(id, 1 << 20)).includes('READY')),
    async kill(driver, id) {
      process.kill((await driver.look(id))?.pid ?? 0, 'SIGKILL')
    },
    until,
  }
  return { stateDir, image, rawImage, open, guest, subject, downloads: () => downloads }
}

async function describe(path: string, format: GuestImage['format']): Promise<GuestImage> {
  const bytes = await readFile(path)
  const sha512 = createHash('sha512').update(bytes).digest('hex')
  const virtualSizeBytes = (await readQcow2(path))?.virtualSizeBytes ?? bytes.length
  return { id: uuid(), format, sizeBytes: bytes.length, sha512, virtualSizeBytes }
}
