import type { Guest, GuestNic } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { incomingFd } from './memory.ts'
import type { Place } from './place.ts'

export type ArgsOptions = {
  place: Place
  accelerator: Accelerator
  hasDisk: boolean
  hasConfigDrive: boolean
  /** Numbers of the user and group QEMU becomes once everything is open; undefined: it stays what it was started as. */
  owner: string | undefined
  /** Stop before the first instruction, to be continued later. */
  paused: boolean
  /** Take up memory instead of booting: from the saved file, or later from where we say. */
  incoming: 'file' | 'deferred' | undefined
}

/** Slots left for what is plugged in while the guest runs. Each costs the firmware some milliseconds. */
const spareSlots = 4

/** The arguments of qemu-system-x86_64 for a guest, without the program's name. Pure. */
export function qemuArgs(guest: Guest, options: ArgsOptions): string[] {
  const { place, hasDisk, hasConfigDrive, owner, paused, incoming } = options
  const slot = slotCounter()
  const devices = [
    ...(hasDisk ? disk(place, slot()) : []),
    ...(hasConfigDrive ? configDrive(place, slot()) : []),
    ...guest.nics.flatMap((nic, index) => network(nic, index, slot())),
  ]
  return [
    ...identity(guest),
    ...machine(guest, options),
    ...ports(slot.used() + spareSlots),
    ...devices,
    ...consoles(place),
    ...['-qmp', `unix:${comma(place.qmpSocket)},server=on,wait=off`],
    ...['-pidfile', place.pidFile],
    // Powered off is a state that can be seen, also by an agent that was away: the process waits to be ended.
    '-no-shutdown',
    ...confinement(owner),
    ...(paused || incoming ? ['-S'] : []),
    ...(incoming === undefined ? [] : ['-incoming', incoming === 'file' ? `fd:${incomingFd}` : 'defer']),
  ]
}

/** A QEMU that is no machine: it has the disk of a guest that is off, to send or to receive it. Pure. */
export const bareArgs = ({ place, hasDisk, owner }: Pick<ArgsOptions, 'place' | 'hasDisk' | 'owner'>): string[] => [
  ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-S'],
  ...(hasDisk ? diskNodes(place) : []),
  ...['-qmp', `unix:${comma(place.qmpSocket)},server=on,wait=off`],
  ...['-pidfile', place.pidFile],
  ...confinement(owner),
]

/** QEMU reads `,` as the end of a value and `,,` as a comma. */
const comma = (text: string) => text.replaceAll(',', ',,')

const printable = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '_').slice(0, 64)

/** Guests tell from the product name which cloud they are in (cloud-init's ds-identify looks for these words). */
const identity = ({ id, name }: Guest) => [
  ...['-name', `guest=${comma(printable(name))},debug-threads=on`],
  ...['-uuid', id],
  ...[
    '-smbios',
    `type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,serial=${id},uuid=${id},family=Virtual Machine`,
  ],
]

function machine({ memoryMb, vcpus }: Guest, { accelerator }: ArgsOptions): string[] {
  const fast = accelerator === 'kvm'
  return [
    ...['-machine', 'q35,hpet=off,vmport=off'],
    ...['-accel', fast ? 'kvm' : `tcg,tb-size=${translationMb(memoryMb)}`],
    ...['-cpu', fast ? 'host' : 'max'],
    ...['-m', fast ? `${memoryMb}` : `${memoryMb * 1024 + unevenKb}k`],
    ...['-smp', `${vcpus}`],
    ...['-nodefaults', '-no-user-config'],
    ...['-rtc', 'base=utc,driftfix=slew'],
  ]
}

/**
 * Before QEMU 9.0, software emulation does not notice what a guest writes to a page again once a migration has looked through 64 pages at a time: the guest arrives
 * with old memory and crashes (QEMU, "physmem: Fix migration dirty bitmap coherency with TCG memory access", March 2024). Memory whose size is no
 * multiple of 256 KiB is looked through page by page, and there it does.
 */
const unevenKb = 8

/** Cache of translated code. QEMU's default grows to some 100 MiB; 32 are enough for a small guest. */
const translationMb = (memoryMb: number) => Math.min(256, Math.max(32, Math.floor(memoryMb / 8)))

type SlotCounter = (() => string) & { used(): number }

function slotCounter(): SlotCounter {
  let next = 0
  return Object.assign(() => `rp${next++}`, { used: () => next })
}

const ports = (count: number) =>
  Array.from({ length: count }, (_, n) => ['-device', `pcie-root-port,id=rp${n},chassis=${n + 1},slot=${n + 1}`]).flat()

const diskNodes = ({ disk: path }: Place) => [
  ...['-blockdev', `driver=file,filename=${comma(path)},node-name=root-file,discard=unmap`],
  ...['-blockdev', 'driver=qcow2,file=root-file,node-name=root,discard=unmap'],
]

const disk = (place: Place, bus: string) => [
  ...diskNodes(place),
  ...['-device', `virtio-blk-pci,drive=root,id=root-disk,bus=${bus},bootindex=1`],
]

/** As a virtio disk: on this machine type a CD-ROM would hang on a controller that small kernels have no driver for. */
const configDrive = ({ configDrive: path }: Place, bus: string) => [
  ...['-blockdev', `driver=file,filename=${comma(path)},node-name=config,read-only=on`],
  ...['-device', `virtio-blk-pci,drive=config,id=config-drive,bus=${bus}`],
]

/** `vnet_hdr=off`: Open vSwitch's userspace datapath drops packets whose checksum was left to hardware that is not there. */
const network = ({ device, mac, mtu }: GuestNic, index: number, bus: string) => [
  ...['-netdev', `tap,id=net${index},ifname=${comma(device)},script=no,downscript=no,vnet_hdr=off`],
  ...['-device', `virtio-net-pci,netdev=net${index},id=nic${index},mac=${mac},host_mtu=${mtu},bus=${bus},romfile=`],
]

const consoles = ({ consoleSocket, consoleLog, vncSocket }: Place) => [
  ...['-chardev', `socket,id=serial,path=${comma(consoleSocket)},server=on,wait=off,logfile=${comma(consoleLog)},logappend=on`],
  ...['-serial', 'chardev:serial'],
  ...['-device', 'VGA,vgamem_mb=8'],
  ...['-vnc', `unix:${comma(vncSocket)}`],
  ...['-device', 'virtio-rng-pci'],
]

/**
 * A guest that breaks out of QEMU finds itself a user with no rights who can start no program. `elevateprivileges` stays out: it would
 * kill QEMU when it gives up root, and the sandbox forbids new privileges (PR_SET_NO_NEW_PRIVS) anyway.
 */
const confinement = (owner: string | undefined) => [
  ...['-sandbox', 'on,obsolete=deny,spawn=deny,resourcecontrol=deny'],
  ...(owner === undefined ? [] : ['-runas', owner]),
]
