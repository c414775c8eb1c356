import { join } from 'node:path'

/** Where the things of one guest are. Socket paths may have 107 bytes at most. */
export type Place = {
  dir: string
  pidFile: string
  /** What was asked for and done. */
  record: string
  /** The guest as it was last prepared. */
  guest: string
  disk: string
  configDrive: string
  /** Saved memory; its being here is what makes a guest `suspended`. */
  memory: string
  /** Where memory goes until it is whole. */
  memoryPart: string
  memorySocket: string
  qmpSocket: string
  vncSocket: string
  consoleSocket: string
  consoleLog: string
  /** What QEMU itself complained of since its last start, and before that: the last words of one that died. */
  qemuLog: string
  qemuLogOld: string
  /** Key and word of a move, for QEMU's own user. */
  moveDir: string
  /** QEMU's name for a file of keys. */
  moveKey: string
  /** The source writes 1 at its begin when it has left. */
  moveWord: string
  /** What the log held before it was cut. */
  consoleOld: string
}

export const guestsDir = (stateDir: string): string => join(stateDir, 'guests')

export function placeOf(stateDir: string, id: string): Place {
  const dir = join(guestsDir(stateDir), id)
  return {
    dir,
    pidFile: join(dir, 'pid'),
    record: join(dir, 'record.json'),
    guest: join(dir, 'guest.json'),
    disk: join(dir, 'disk.qcow2'),
    configDrive: join(dir, 'config.iso'),
    memory: join(dir, 'memory'),
    memoryPart: join(dir, 'memory.part'),
    memorySocket: join(dir, 'memory.sock'),
    qmpSocket: join(dir, 'qmp.sock'),
    vncSocket: join(dir, 'vnc.sock'),
    consoleSocket: join(dir, 'console.sock'),
    consoleLog: join(dir, 'console.log'),
    qemuLog: join(dir, 'qemu.log'),
    qemuLogOld: join(dir, 'qemu.old'),
    moveDir: join(dir, 'move'),
    moveKey: join(dir, 'move/keys.psk'),
    moveWord: join(dir, 'move/word'),
    consoleOld: join(dir, 'console.old'),
  }
}
