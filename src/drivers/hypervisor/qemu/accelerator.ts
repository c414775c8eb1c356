import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exec } from '../../../kit/exec/exec.ts'

export type Accelerator = 'kvm' | 'tcg'

const loops = 20_000_000
const patienceMs = 3000
/** isa-debug-exit ends QEMU with twice the value written, plus one. */
const exitCode = 3

/**
 * A boot sector (x86 real mode) that counts down and then leaves through isa-debug-exit. Nested and emulated KVMs open well,
 * run a few instructions and are thousands of times too slow, or abort: only work done in time proves anything.
 */
export function countingBootSector(): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(loops)
  const code = Buffer.concat([
    Buffer.from([0xfa, 0x66, 0xb9]), // cli; mov ecx,
    count,
    Buffer.from([0x66, 0x49, 0x75, 0xfc]), // dec ecx; jnz
    Buffer.from([0xba, 0xf4, 0x00, 0xb0, 0x01, 0xee]), // mov dx,0xf4; mov al,1; out dx,al
    Buffer.from([0xf4, 0xeb, 0xfd]), // hlt; jmp
  ])
  const disk = Buffer.alloc(65_536)
  code.copy(disk)
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}

/** The arguments of a QEMU that boots the counting sector and ends. */
const probeArgs = (accelerator: Accelerator, disk: string): string[] => [
  ...['-accel', accelerator, '-machine', 'pc', '-cpu', 'max', '-m', '32', '-nodefaults', '-no-user-config', '-display', 'none'],
  ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
  ...['-drive', `file=${disk},format=raw,if=ide`],
]

/** Runs the counting sector. True: it finished in time. */
export async function countsInTime(exec: Exec, accelerator: Accelerator, program = 'qemu-system-x86_64'): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'probe-'))
  try {
    const disk = join(dir, 'disk')
    await writeFile(disk, countingBootSector())
    const { code } = await exec.attempt([program, ...probeArgs(accelerator, disk)], { timeoutMs: patienceMs })
    return code === exitCode
  } catch {
    // Too slow, or no such program.
    return false
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Whether this host's KVM really runs guests. Takes up to 3 s where there is a /dev/kvm and a processor's module for it; else nothing. */
export async function probeAccelerator(exec: Exec): Promise<Accelerator> {
  const modules = ['kvm_intel', 'kvm_amd'].map((name) => `/sys/module/${name}`)
  if (!existsSync('/dev/kvm') || !modules.some((path) => existsSync(path))) return 'tcg'
  return (await countsInTime(exec, 'kvm')) ? 'kvm' : 'tcg'
}
