/** How the two processes are kept running: by systemd where it is PID 1, else by a small loop each. */
export type Supervision = {
  kind: 'systemd' | 'loop'
  /** Whether it is set up as it should be (units written; nothing to write for the loop). */
  isSetUp(): Promise<boolean>
  setUp(): Promise<void>
  /** Starts what does not run, and starts anew what runs an older program or configuration. */
  start(): Promise<void>
  /** Ends controller and agent; guests, switch and name servers go on. */
  stop(): Promise<void>
  /** Takes away what setUp made. */
  remove(): Promise<void>
  /** pid of each daemon and how often it was started since --start; none when it does not run. */
  look(): Promise<Supervised[]>
}

export type Supervised = { name: string; pid?: number; starts?: number; isKept: boolean; isCurrent: boolean }
