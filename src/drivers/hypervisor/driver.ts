import type { Micros } from '../../kit/clock.ts'

export type GuestImage = { id: string; format: 'raw' | 'qcow2'; sizeBytes: number; sha512: string; virtualSizeBytes: number }

/** `device` is the name of a tap that somebody else makes; `id` names the port. */
export type GuestNic = { portId: string; device: string; mac: string; mtu: number }

/** What a guest is made of. Nothing about what it should be doing. */
export type Guest = {
  id: string
  name: string
  vcpus: number
  memoryMb: number
  /** Size of the root disk in GiB; 0: as large as the image. */
  diskGb: number
  image: GuestImage | undefined
  nics: GuestNic[]
  /** Files of the config drive by path, base64. */
  configDrive: Record<string, string> | undefined
}

/** What was asked for and done, by the caller's own numbers. */
export type Counters = { generation: number; boots: number; softBoots: number }

/**
 * - `off`: stopped by us, or never started
 * - `ended`: it powered itself off (or answered the power button); its process may still hold memory until `stop`
 * - `suspended`: memory is in a file
 * - `crashed`: it should run and its process is gone or broken (also after the host was restarted)
 * - `lost`: the process lives and does not answer
 */
export type GuestState = 'off' | 'on' | 'paused' | 'ended' | 'suspended' | 'crashed' | 'lost'

export type GuestSeen = {
  id: string
  state: GuestState
  /** 0: no process. */
  pid: number
  applied: Counters
  /** When the power button was pressed and not yet answered. */
  pressedAt: Micros | undefined
}

/** `waitFor` says what is missing outside the driver's reach, e.g. a tap device. */
export type Prepared = { ready: true } | { ready: false; waitFor: string }

export type Running = 'running' | 'paused'

export type VncAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number }

export type HypervisorInventory = { vms: { id: string; pid: number }[]; files: string[]; problems: string[] }

/**
 * Guests on one host. A driver keeps no state of its own: a new one over the same host finds what the old one left.
 * Every verb may be repeated. A `Problem` is for the user; anything else that is thrown is for the log.
 */
export type Hypervisor = {
  /** Every guest of ours, found by looking at the host. */
  list(): Promise<GuestSeen[]>
  /** One guest; undefined: nothing of it is here. */
  look(id: string): Promise<GuestSeen | undefined>
  /** Makes disks (fetching the image when it is not here, growing when too small) and the config drive. The guest must not run. */
  prepare(guest: Guest): Promise<Prepared>
  /** Boots a prepared guest cold, dropping saved memory. The numbers are recorded before, so that no boot is done twice. */
  start(guest: Guest, counters: Pick<Counters, 'boots' | 'softBoots'>, as: Running): Promise<void>
  /** Goes on from saved memory. The guest must be `suspended`. */
  restore(guest: Guest, as: Running): Promise<void>
  /** Presses the ACPI power button and notes when. A guest that obeys becomes `ended`. */
  press(id: string): Promise<void>
  /** Takes the power away; drops saved memory. The guest is `off` afterwards, whatever it was. */
  stop(id: string): Promise<void>
  /** Presses the reset button: same process, guest begins again. */
  reset(id: string): Promise<void>
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  /** Saves memory to a file and ends the process. */
  suspend(id: string): Promise<void>
  /** Ends the process and deletes every file of the guest. */
  remove(id: string): Promise<void>
  /** Records what was carried out; also forgets a pressed button. */
  record(id: string, counters: Counters): Promise<void>
  /** The last so many bytes of the serial console; empty when there is none. */
  consoleLog(id: string, bytes: number): Promise<string>
  /** Where the guest's screen is served; undefined: it has none now. */
  vnc(id: string): Promise<VncAddress | undefined>
  inventory(): Promise<HypervisorInventory>
  /** Housekeeping, cheap, once a round: bounds logs, drops images nobody used for long. */
  tidy(): Promise<void>
  /** Calls back when a guest changed by itself. Gives the way to stop. */
  watch(changed: (id: string) => void): () => void
  /** Lets go of the guests; they run on. */
  close(): Promise<void>
}
