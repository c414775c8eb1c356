import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Network } from '../../network/contract.ts'
import type { Hosts } from '../../service.ts'
import { type PowerActions, type PowerVerb, refuseState } from '../domain/power.ts'
import type { Server } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import { actor, ofServer } from './servers.ts'
import { loose, Name, within } from './types.ts'

export type ServerActionsApi = { servers: Servers; power: PowerActions; hosts: Hosts; network: () => Network }

/** Simple actions carry nothing of importance under their name. */
const anything = (name: string) => Type.Unsafe({ type: 'object', required: [name] })

export function serverActionEndpoints({ servers, power, hosts, network }: ServerActionsApi): Endpoint[] {
  type Doing = Ask<Record<string, unknown>, Server>
  const action = (
    name: string,
    policy: string,
    run: (ask: Doing) => Promise<unknown>,
    more: { body?: TSchema | ((version: number) => TSchema); status?: number } = {},
  ) =>
    endpoint({
      on: `POST /servers/{server_id}/action#${name}`,
      policy: `os_compute_api:${policy}`,
      status: more.status ?? 202,
      body: (more.body ?? anything(name)) as TSchema,
      ...ofServer(servers),
      handle: (ask) => run(ask as unknown as Doing),
    })
  const powered = (name: string, policy: string, verb: PowerVerb) =>
    action(name, policy, async (ask) => power.power(ask.subject, verb, actor(ask)))
  return [
    powered('os-start', 'servers:start', 'start'),
    powered('os-stop', 'servers:stop', 'stop'),
    powered('pause', 'os-pause-server:pause', 'pause'),
    powered('unpause', 'os-pause-server:unpause', 'unpause'),
    powered('suspend', 'os-suspend-server:suspend', 'suspend'),
    powered('resume', 'os-suspend-server:resume', 'resume'),
    action(
      'reboot',
      'servers:reboot',
      async (ask) => {
        const { type } = ask.body['reboot'] as { type: string }
        await power.power(ask.subject, type.toUpperCase() === 'HARD' ? 'reboot-hard' : 'reboot', actor(ask))
      },
      {
        body: within(
          'reboot',
          loose({ type: Type.Unsafe({ type: 'string', enum: ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'] }) }, ['type']),
        ),
      },
    ),
    action('forceDelete', 'os-deferred-delete:force', async (ask) => power.remove(ask.subject, actor(ask))),
    action(
      'lock',
      'os-lock-server:lock',
      async (ask) => {
        const lock = ask.body['lock'] as { locked_reason?: string } | null
        const reason = ask.version >= 73 ? (lock?.locked_reason ?? null) : null
        await power.lock(ask.subject, reason, actor(ask))
      },
      {
        body: (version) =>
          version < 73
            ? anything('lock')
            : within(
                'lock',
                Type.Unsafe({
                  type: ['object', 'null'],
                  properties: { locked_reason: { type: 'string', minLength: 1, maxLength: 255 } },
                  additionalProperties: false,
                }),
              ),
      },
    ),
    action('unlock', 'os-lock-server:unlock', async (ask) => {
      const { subject: server, caller } = ask
      const expected = caller.projectId === server.projectId ? 'owner' : 'admin'
      const override = 'os_compute_api:os-lock-server:unlock:unlock_override'
      if (server.lockedBy !== '' && server.lockedBy !== expected && !ask.can(override))
        throw new Problem('forbidden', `Policy doesn't allow ${override} to be performed.`, { code: 'PolicyNotAuthorized' })
      await power.unlock(server, actor(ask))
    }),
    action(
      'os-resetState',
      'os-admin-actions:reset_state',
      async (ask) => {
        const { state } = ask.body['os-resetState'] as { state: 'active' | 'error' }
        await power.resetState(ask.subject, state, actor(ask))
      },
      {
        body: within('os-resetState', loose({ state: Type.Unsafe({ type: 'string', enum: ['active', 'error'] }) }, ['state'])),
      },
    ),
    ...(['addSecurityGroup', 'removeSecurityGroup'] as const).map((name) =>
      action(
        name,
        `os-security-groups:${name === 'addSecurityGroup' ? 'add' : 'remove'}`,
        async (ask) => {
          const { name: group } = ask.body[name] as { name: string }
          const { id: owner, projectId } = ask.subject
          await network().changeSecurityGroup({ owner, projectId, group, add: name === 'addSecurityGroup' })
        },
        { body: within(name, loose({ name: Name }, ['name'])) },
      ),
    ),
    action(
      'os-getConsoleOutput',
      'os-console-output',
      async (ask) => {
        const { length } = (ask.body['os-getConsoleOutput'] ?? {}) as { length?: number | string | null }
        return { output: await consoleOutput(hosts, ask.subject, length) }
      },
      {
        status: 200,
        body: within(
          'os-getConsoleOutput',
          loose({ length: Type.Unsafe({ type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$', minimum: -1 }) }),
        ),
      },
    ),
  ]
}

/** What a console shows at most when everything is asked for. */
const mostBytes = 1 << 20
const bytesPerLine = 300

/** The last lines of the serial console; all of them for none and for -1. */
async function consoleOutput(hosts: Hosts, server: Server, length: number | string | null | undefined): Promise<string> {
  refuseState(server, 'get_console_output', ['active', 'paused', 'stopped', 'error', 'suspended'], 'any')
  if (server.host === '') throw new Problem('conflict', `Instance ${server.id} is not ready`)
  const lines = length === null || length === undefined ? -1 : Number(length)
  if (lines < -1)
    throw new Problem('invalid', `Invalid input for field/attribute length. Value: ${length}. It is less than the minimum of -1`)
  const bytes = lines < 0 ? mostBytes : Math.min(mostBytes, Math.max(1, lines) * bytesPerLine)
  const text = (await hosts.ask(server.host, { ask: 'console-log', vm: server.id, bytes })) as string
  if (lines < 0) return text
  // As nova counts: what follows the last line break is a line, though mostly an empty one.
  return lines === 0 ? '' : text.split('\n').slice(-lines).join('\n')
}
