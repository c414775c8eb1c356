import { join } from 'node:path'
import { kernelMetaPackage } from '../../images/packages.ts'
import { type Accelerator, probeAccelerator } from '../drivers/hypervisor/qemu/accelerator.ts'
import type { Exec } from '../kit/exec/exec.ts'
import type { Distribution } from './packages.ts'
import type { Place } from './place.ts'

export type ImageNeeds = { exec: Exec; clone: string; place: Place; distribution: Distribution }

/** In a process of its own, so that it uses another core than the copying beside it. Its parts are downloaded once. */
export async function buildImage({ exec, clone, place, distribution }: ImageNeeds, outFile: string): Promise<void> {
  const { code, stdout } = await exec.attempt(['apt-cache', 'show', kernelMetaPackage])
  // Lists of packages are thrown away in images of machines.
  if ((code !== 0 || stdout === '') && distribution.refresh) await exec.run(distribution.refresh, { timeoutMs: 300_000 })
  await exec.run([process.execPath, join(clone, 'images/build.ts'), outFile, place.imageCache], { timeoutMs: 300_000 })
}

/** Whether KVM is usable, found by running something; throws while QEMU is not there to run it. */
export async function probe(exec: Exec): Promise<Accelerator> {
  await exec.run([process.arch === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64', '--version'])
  return probeAccelerator(exec)
}
