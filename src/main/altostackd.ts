import { parseArgs } from 'node:util'
import { explainError } from '../kit/errors.ts'
import { type Log, openLog } from '../kit/log.ts'
import { readConfig, readSecrets } from './config.ts'

type Running = { close(): Promise<void> }

/**
 * The daemon: `altostackd --config FILE --secrets FILE --roles api,work` is a controller, `--roles agent` a host's agent (as root), `--roles api,work,agent` both.
 * Each half is loaded only where it runs: an agent has no use for services, nor a controller for drivers.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string', default: '/etc/altostack/altostack.json' },
      secrets: { type: 'string', default: '/etc/altostack/secrets.json' },
      roles: { type: 'string', default: 'api,work' },
      'log-level': { type: 'string', default: 'info' },
    },
  })
  const roles = new Set(values.roles.split(','))
  const log = openLog({ level: values['log-level'] })
  process.title = `altostackd: ${roles.has('api') || roles.has('work') ? 'controller' : 'agent'}`
  process.on('unhandledRejection', (error) => log.error({ error: explainError(error), stack: (error as Error)?.stack }, 'a bug'))
  const [config, secrets] = [await readConfig(values.config), await readSecrets(values.secrets)]
  const running: Running[] = []
  if (roles.has('api') || roles.has('work')) {
    const { startController } = await import('./controller.ts')
    running.push(await startController({ config, secrets, roles, log }))
  }
  if (roles.has('agent')) {
    const { startHost } = await import('./host.ts')
    running.push(await startHost({ config, secrets, log }))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(running, log))
}

/** What does not end in time is ended: dying is what everything here survives. */
async function stop(running: Running[], log: Log): Promise<void> {
  setTimeout(() => process.exit(0), 5000).unref()
  for (const one of running.reverse())
    await one.close().catch((error) => log.warn({ error: explainError(error) }, 'did not close well'))
  process.exit(0)
}
