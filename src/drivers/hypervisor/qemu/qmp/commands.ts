import type { QmpConnection } from './connection.ts'

/** QEMU's RunState (qapi/run-state.json), those we meet. */
export type RunState =
  | 'running'
  | 'paused'
  | 'prelaunch'
  | 'inmigrate'
  | 'finish-migrate'
  | 'postmigrate'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'io-error'
  | 'watchdog'
  | 'guest-panicked'
  | 'internal-error'

/** `undefined` of status: no migration yet. */
export type MigrationSeen = { status: string | undefined; error: string | undefined }

/** What we ask of QEMU, typed. Each may be asked twice. */
export type Monitor = {
  runState(): Promise<RunState>
  stop(): Promise<void>
  cont(): Promise<void>
  reset(): Promise<void>
  /** Presses the ACPI power button. */
  powerButton(): Promise<void>
  quit(): Promise<void>
  /** Begins to send memory, e.g. to `unix:path`. */
  migrate(uri: string): Promise<void>
  migration(): Promise<MigrationSeen>
  /** QEMU's default holds the stream back to suit a shared network; ours goes to a file. */
  migrateFast(): Promise<void>
}

type Status = { status: RunState }
type Migration = { status?: string; 'error-desc'?: string }

export function monitorOver(qmp: QmpConnection): Monitor {
  const tell = async (command: string, args?: Record<string, unknown>, timeoutMs?: number) => {
    await qmp.execute(command, args, timeoutMs)
  }
  return {
    runState: async () => ((await qmp.execute('query-status')) as Status).status,
    // Waits for the disks to have written what is under way.
    stop: () => tell('stop', undefined, 30_000),
    cont: () => tell('cont', undefined, 10_000),
    reset: () => tell('system_reset'),
    powerButton: () => tell('system_powerdown'),
    quit: () => tell('quit'),
    migrate: (uri) => tell('migrate', { uri }),
    async migration() {
      const { status, 'error-desc': error } = (await qmp.execute('query-migrate')) as Migration
      return { status, error }
    },
    migrateFast: () => tell('migrate-set-parameters', { 'max-bandwidth': 10 * 2 ** 30 }),
  }
}
