import { join } from 'node:path'
import { probeAccelerator } from '../drivers/hypervisor/qemu/accelerator.ts'
import type { Exec } from '../kit/exec/exec.ts'
import type { Accelerator } from './answers.ts'

/** In a process of its own, so that it uses another core than the copying beside it. */
export const buildImage = async (exec: Exec, clone: string, outFile: string): Promise<void> =>
  void (await exec.run([process.execPath, join(clone, 'images/build.ts'), outFile], { timeoutMs: 300_000 }))

/** Whether KVM is usable, found by running something; throws while QEMU is not there to run it. */
export async function probe(exec: Exec): Promise<Accelerator> {
  await exec.run([process.arch === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64', '--version'])
  return probeAccelerator(exec)
}
