import { join } from 'node:path'
import { type Place, user } from '../place.ts'

/** A process of ours that must always run. */
export type Daemon = {
  name: 'controller' | 'agent'
  /** What its title begins with, as `ps` shows it. */
  title: string
  argv: string[]
  user: string
  log: string
  env: Record<string, string>
  /** What it loads: read once before the first start, so that the compiled code is there. */
  entry: string
  /** Folder of compiled code. */
  compiled: string
}

/**
 * Measured on an idle controller after some requests: 102 MiB instead of 180. What hashes passwords in threads leaves 19 MiB in each arena of
 * glibc's, and young objects may lie around for as long as their space is not full.
 */
export const memorySettings = { MALLOC_ARENA_MAX: '2', NODE_OPTIONS: '--max-semi-space-size=4' }

type Kind = { name: Daemon['name']; roles: string; user: string; secrets: string; state: string; entry: string }

const daemon = (place: Place, { name, roles, user, secrets, state, entry }: Kind): Daemon => ({
  name,
  title: `altostackd: ${name}`,
  argv: [join(place.program, 'bin/altostackd'), '--config', place.configFile, '--secrets', secrets, '--roles', roles],
  user,
  log: join(place.log, `${name}.log`),
  env: {
    // Compiled code is kept: half the time to start, and 20 MB less. Each has its own, for what root runs may not come from another user.
    NODE_COMPILE_CACHE: join(state, 'compiled'),
    ...memorySettings,
  },
  entry: join(place.program, entry),
  compiled: join(state, 'compiled'),
})

/** All there may be, whatever of them runs here. */
export const daemonNames = ['controller', 'agent'] as const

/** The controller can do nothing to the host; the agent must be root, for QEMU, Open vSwitch and namespaces. */
export const daemons = (place: Place, names: readonly Daemon['name'][] = daemonNames): Daemon[] =>
  [
    daemon(place, {
      name: 'controller',
      roles: 'api,work',
      user,
      secrets: place.secretsFile,
      state: place.state,
      entry: 'src/main/controller.ts',
    }),
    daemon(place, {
      name: 'agent',
      roles: 'agent',
      user: 'root',
      secrets: place.agentSecretsFile,
      state: place.agentState,
      entry: 'src/main/host.ts',
    }),
  ].filter(({ name }) => names.includes(name))

/** argv that becomes this user for good: no way back to root, no capability left. Needs util-linux, which is everywhere. */
export const asUser = (name: string, argv: readonly string[]): string[] =>
  name === 'root'
    ? [...argv]
    : [
        'setpriv',
        `--reuid=${name}`,
        `--regid=${name}`,
        '--init-groups',
        '--no-new-privs',
        '--inh-caps=-all',
        '--bounding-set=-all',
        ...argv,
      ]
