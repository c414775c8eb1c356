import { rename } from 'node:fs/promises'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Guest } from '../driver.ts'
import { drop, ifMissing } from './files.ts'
import type { Images } from './images.ts'
import type { Place } from './place.ts'
import { type Qcow2, readQcow2 } from './qcow2.ts'

export const hasDisk = ({ image, diskGb }: Pick<Guest, 'image' | 'diskGb'>): boolean => image !== undefined || diskGb > 0

/** At least the image, whose content would be cut otherwise. */
export const diskBytes = ({ image, diskGb }: Pick<Guest, 'image' | 'diskGb'>): number =>
  Math.max(diskGb * 2 ** 30, image?.virtualSizeBytes ?? 0)

/** What to do for a guest's root disk, given what is there. A disk over another image is the disk of a guest that was made anew. Pure. */
export function diskPlan(there: Qcow2 | undefined, wantBytes: number, backing: string | undefined): 'make' | 'grow' | 'keep' {
  if (!there || there.backingFile !== backing || there.hasDataFile) return 'make'
  return there.virtualSizeBytes < wantBytes ? 'grow' : 'keep'
}

/** The root disk: what the guest wrote, over the image that all its siblings share. */
export async function ensureDisk(exec: Exec, images: Images, { disk }: Place, guest: Guest): Promise<void> {
  if (!hasDisk(guest)) return
  const { image } = guest
  const backing = image && (await images.ensure(image))
  const bytes = diskBytes(guest)
  const what = diskPlan(await readQcow2(disk).catch(ifMissing), bytes, backing)
  if (what === 'grow') await exec.run(['qemu-img', 'resize', '-q', '-f', 'qcow2', disk, `${bytes}`])
  if (what !== 'make') return
  const over = image ? ['-b', `${backing}`, '-F', image.format] : []
  await drop(`${disk}.new`)
  await exec.run(['qemu-img', 'create', '-q', '-f', 'qcow2', ...over, `${disk}.new`, `${bytes}`])
  await rename(`${disk}.new`, disk)
}
