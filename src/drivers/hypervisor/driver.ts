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
 * - `arriving`: it is another host's and may come here; nothing of it runs (also when its move failed)
 * - `left`: it was handed over to another host; what is here is of no use to anybody and never runs again
 */
export type GuestState = 'off' | 'on' | 'paused' | 'ended' | 'suspended' | 'crashed' | 'lost' | 'arriving' | 'left'

/**
 * A guest between two hosts; both are told of it. live: memory and disk, while it runs. cold: the disk of a guest that is off. `key`:
 * 32 random bytes as hex.
 */
export type Move = { id: string; kind: 'live' | 'cold'; key: string }

/** Where the other host listens (a port of 0: that channel is not needed), and whether the guest may be stopped for as long as it takes. */
export type Departure = Move & { address: string; memoryPort: number; diskPort: number; forced: boolean }

/** Bytes. */
export type Progress = { total: number; sent: number; left: number }

/**
 * - `open`: this host listens, at these ports, and the guest is not its own yet
 * - `going`: this host sends
 * - `left`: this host has handed over
 * - `arrived`: the guest is this host's own
 * - `failed`: the guest belongs to where it came from
 */
export type MoveSeen = {
  id: string
  at: 'open' | 'going' | 'left' | 'arrived' | 'failed'
  memoryPort: number
  diskPort: number
  memory: Progress
  disk: Progress
  /** For the user. */
  error: string | undefined
}

export type GuestSeen = {
  id: string
  state: GuestState
  /** 0: no process. */
  pid: number
  applied: Counters
  /** When the power button was pressed and not yet answered. */
  pressedAt: Micros | undefined
  /** The last move that began here. */
  move?: MoveSeen
}

/** `waitFor` says what is missing outside the driver's reach, e.g. a tap device. */
export type Prepared = { ready: true } | { ready: false; waitFor: string }

export type Running = 'running' | 'paused'

export type VncAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number }

export type HypervisorInventory = { vms: { id: string; pid: number }[]; files: string[]; problems: string[] }

/**
 * Guests on one host. A driver keeps no state of its own: a new one over the same host finds what the old one left.
 * Every verb may be repeated. A `Problem` is for the user; anything else that is thrown is for the log.
 *
 * A guest moves in two halves. Where it goes to, `receive` makes everything it needs and listens; where it is, `send` begins to send. Both
 * go on by themselves; a driver that was opened anew goes on when the verb is repeated. Until the source is `left`, the guest is the
 * source's: whatever breaks, it goes on there. From then on it is the destination's: what is there is whole, and runs as soon as the
 * destination knows, from the source or by `take`.
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
  /**
   * Makes what the guest needs and listens for it. What an earlier move left here is dropped. The numbers are those of the guest at the
   * source. `as`: how it goes on once it has arrived; after a cold move it is off. Not ready: nothing listens yet.
   */
  receive(guest: Guest, counters: Pick<Counters, 'boots' | 'softBoots'>, move: Move, as: Running): Promise<Prepared>
  /**
   * The source has `left`: the guest is this host's own, with its memory where that has come, else crashed (live) or off (cold). Only for
   * who knows: taken before the source has left, the guest would be two.
   */
  take(id: string): Promise<void>
  /** Begins to send the guest, or goes on. A move that failed is not begun again: another has another id. */
  send(id: string, departure: Departure): Promise<void>
  /** Ends the sending, if the guest has not left. It goes on here, as it was before. */
  cancel(id: string): Promise<void>
  /**
   * A guest that left switched off has come back: it is off here, as it left. Only for who knows that the other host has dropped it.
   * Nothing happens to one that left with its memory.
   */
  regain(id: string): Promise<void>
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
