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
}

const daemon = (place: Place, name: Daemon['name'], roles: string, as: string, secrets: string): Daemon => ({
  name,
  title: `altostackd: ${name}`,
  argv: [join(place.program, 'bin/altostackd'), '--config', place.configFile, '--secrets', secrets, '--roles', roles],
  user: as,
  log: join(place.log, `${name}.log`),
})

/** The controller can do nothing to the host; the agent must be root, for QEMU, Open vSwitch and namespaces. */
export const daemons = (place: Place): [Daemon, Daemon] => [
  daemon(place, 'controller', 'api,work', user, place.secretsFile),
  daemon(place, 'agent', 'agent', 'root', place.agentSecretsFile),
]

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
