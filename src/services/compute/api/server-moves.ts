import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Moving, WhereTo } from '../domain/moving.ts'
import type { Server } from '../domain/server.ts'
import type { Servers } from '../domain/servers.ts'
import { newPassword } from './new-server.ts'
import { actor, ofServer } from './servers.ts'
import { Bool, isTrue, loose, within } from './types.ts'

type Doing = Ask<Record<string, Record<string, unknown> | null>, Server>

const hostOrNull = { type: ['string', 'null'], minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9\\-._]*$' }
const Host = Type.Unsafe<string>({ ...hostOrNull, type: 'string' })
const HostOrNull = Type.Unsafe<string | null>(hostOrNull)
const BoolOrAuto = Type.Unsafe({ anyOf: [Bool, { enum: ['auto'] }] })
const FlavorRef = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  minLength: 1,
  pattern: '^[a-zA-Z0-9-]*[a-zA-Z0-9._ -]*$',
})
const anything = (name: string) => Type.Unsafe({ type: 'object', required: [name] })

const hasForce = (version: number) => version >= 30 && version < 68

const liveBody = (version: number): TSchema =>
  within(
    'os-migrateLive',
    loose(
      {
        host: HostOrNull,
        block_migration: version >= 25 ? BoolOrAuto : Bool,
        ...(version < 25 ? { disk_over_commit: Bool } : {}),
        ...(hasForce(version) ? { force: Bool } : {}),
      },
      ['block_migration', 'host', ...(version < 25 ? ['disk_over_commit'] : [])],
    ),
  )

const coldBody = (version: number): TSchema =>
  version < 56
    ? anything('migrate')
    : within('migrate', Type.Unsafe({ type: ['object', 'null'], properties: { host: HostOrNull }, additionalProperties: false }))

const evacuateBody = (version: number): TSchema =>
  within(
    'evacuate',
    loose(
      {
        host: Host,
        adminPass: Type.String(),
        ...(version < 14 ? { onSharedStorage: Bool } : {}),
        ...(version >= 29 && version < 68 ? { force: Bool } : {}),
      },
      version < 14 ? ['onSharedStorage'] : [],
    ),
  )

/** Before 2.30 (evacuate: 2.29) a named host was not checked by the scheduler, then only unless forced. */
function whereTo({ host, force }: Record<string, unknown>, isChecked: boolean): WhereTo {
  const isForced = isTrue(force)
  if (isForced && !host) throw new Problem('invalid', "Can't force to a non-provided destination")
  return { host: (host as string | null) ?? '', unfiltered: Boolean(host) && (isForced || !isChecked) }
}

function refuseHost({ can }: Doing, host: string, rule: string): void {
  if (host === '' || can(`os_compute_api:os-migrate-server:${rule}:host`)) return
  throw new Problem('forbidden', `Policy doesn't allow os_compute_api:os-migrate-server:${rule}:host to be performed.`, {
    code: 'PolicyNotAuthorized',
  })
}

/** Actions that bring a server to another host, or to another size. */
export function moveEndpoints(servers: Servers, moving: Moving): Endpoint[] {
  const action = (
    name: string,
    policy: string,
    run: (ask: Doing) => Promise<unknown>,
    { body = anything(name), status = 202 }: { body?: TSchema | ((version: number) => TSchema); status?: number } = {},
  ) =>
    endpoint({
      on: `POST /servers/{server_id}/action#${name}`,
      policy: `os_compute_api:${policy}`,
      status,
      body: body as TSchema,
      ...ofServer(servers),
      handle: (ask) => run(ask as unknown as Doing),
    })
  return [
    action(
      'os-migrateLive',
      'os-migrate-server:migrate_live',
      async (ask) => {
        const asked = ask.body['os-migrateLive']!
        const to = whereTo(asked, ask.version >= 30)
        refuseHost(ask, to.host, 'migrate_live')
        const sharedDisk = asked['block_migration'] !== 'auto' && !isTrue(asked['block_migration'])
        await moving.live(ask.subject, { ...to, sharedDisk, later: ask.version >= 34 }, actor(ask))
      },
      { body: liveBody },
    ),
    action(
      'migrate',
      'os-migrate-server:migrate',
      async (ask) => {
        const host = ask.version >= 56 ? ((ask.body['migrate']?.['host'] as string | null | undefined) ?? '') : ''
        refuseHost(ask, host, 'migrate')
        await moving.cold(ask.subject, host, actor(ask))
      },
      { body: coldBody },
    ),
    action(
      'resize',
      'servers:resize',
      async (ask) => {
        const { flavorRef, 'OS-DCF:diskConfig': diskConfig } = ask.body['resize']!
        await moving.resize(ask.subject, String(flavorRef), diskConfig === 'AUTO' ? 'AUTO' : 'MANUAL', actor(ask))
      },
      {
        body: within(
          'resize',
          loose({ flavorRef: FlavorRef, 'OS-DCF:diskConfig': Type.Unsafe({ type: 'string', enum: ['AUTO', 'MANUAL'] }) }, [
            'flavorRef',
          ]),
        ),
      },
    ),
    action('confirmResize', 'servers:confirm_resize', async (ask) => moving.confirm(ask.subject, actor(ask)), { status: 204 }),
    action('revertResize', 'servers:revert_resize', async (ask) => moving.revert(ask.subject, actor(ask))),
    action(
      'evacuate',
      'os-evacuate',
      async (ask) => {
        const asked = ask.body['evacuate']!
        const isShared = ask.version < 14 && isTrue(asked['onSharedStorage'])
        if (isShared && asked['adminPass'] !== undefined)
          throw new Problem('invalid', "admin password can't be changed on existing disk")
        await moving.evacuate(ask.subject, whereTo(asked, ask.version >= 29), ask.version >= 95, actor(ask))
        // What is said to be the password is nobody's: images of ours take none.
        if (ask.version < 14) return { adminPass: isShared ? null : (asked['adminPass'] ?? newPassword()) }
        return undefined
      },
      { body: evacuateBody, status: 200 },
    ),
  ]
}
