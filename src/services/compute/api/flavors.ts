import { type TSchema, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { render, view } from '../../../kit/http/view.ts'
import { uuid } from '../../../kit/ids.ts'
import { type Flavor, type FlavorScope, type Flavors, flavorListing } from '../domain/flavors.ts'
import { links, nextLink } from './links.ts'
import { Bool, isTrue, LongDescription, loose, Name, NotNegative, noQuery, Positive, querySchema, within } from './types.ts'

type Shown = Flavor & { where: Ask }

const specsRule = 'os_compute_api:os-flavor-extra-specs:index'
const brief = view<Shown>({
  id: (flavor) => flavor.id,
  name: (flavor) => flavor.name,
  description: { from: (flavor) => flavor.description, since: '2.55' },
  links: (flavor) => links(flavor.where, 'flavors', flavor.id),
})
const whole = view<Shown>({
  id: (flavor) => flavor.id,
  name: (flavor) => flavor.name,
  ram: (flavor) => flavor.memoryMb,
  disk: (flavor) => flavor.rootGb,
  swap: (flavor, { version }) => flavor.swapMb || (version >= 75 ? 0 : ''),
  'OS-FLV-EXT-DATA:ephemeral': (flavor) => flavor.ephemeralGb,
  'OS-FLV-DISABLED:disabled': () => false,
  vcpus: (flavor) => flavor.vcpus,
  'os-flavor-access:is_public': (flavor) => flavor.isPublic,
  rxtx_factor: (flavor) => flavor.rxtxFactor,
  links: (flavor) => links(flavor.where, 'flavors', flavor.id),
  description: { from: (flavor) => flavor.description, since: '2.55' },
  extra_specs: { from: (flavor) => flavor.extraSpecs, since: '2.61', rule: specsRule },
})
const context = ({ version, can, caller }: Ask) => ({
  version,
  can: (rule: string) => can(rule, { project_id: caller.projectId }),
})

const NewFlavor = (version: number): TSchema =>
  within(
    'flavor',
    loose(
      {
        name: Name,
        id: Type.Unsafe({
          type: ['string', 'number', 'null'],
          minLength: 1,
          maxLength: 255,
          pattern: '^(?! )[a-zA-Z0-9. _\\-]+(?<! )$',
        }),
        ram: Positive,
        vcpus: Positive,
        disk: NotNegative,
        'OS-FLV-EXT-DATA:ephemeral': NotNegative,
        swap: NotNegative,
        rxtx_factor: Type.Unsafe({
          type: ['number', 'string'],
          pattern: '^[0-9]*[1-9][0-9]*(\\.[0-9]+)?$|^0+\\.[0-9]*[1-9][0-9]*$',
          exclusiveMinimum: 0,
          maximum: 3.40282e38,
        }),
        'os-flavor-access:is_public': Bool,
        ...(version >= 55 ? { description: LongDescription } : {}),
      },
      ['name', 'ram', 'vcpus', 'disk'],
    ),
  )

const fromWire = (wire: Record<string, unknown>): Flavor => ({
  id: wire['id'] === undefined || wire['id'] === null ? uuid() : String(wire['id']),
  name: String(wire['name']),
  memoryMb: Number(wire['ram']),
  vcpus: Number(wire['vcpus']),
  rootGb: Number(wire['disk']),
  ephemeralGb: Number(wire['OS-FLV-EXT-DATA:ephemeral'] ?? 0),
  swapMb: Number(wire['swap'] ?? 0),
  rxtxFactor: Number(wire['rxtx_factor'] ?? 1),
  isPublic: isTrue(wire['os-flavor-access:is_public'] ?? true),
  description: (wire['description'] as string | null | undefined) ?? null,
  extraSpecs: {},
})

const listQuery = querySchema({ known: ['is_public', 'minRam', 'minDisk', 'sort_key', 'sort_dir'], paged: true })

function isPublicOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return true
  if (/^none$/i.test(text)) return undefined
  if (/^(1|t|true|on|y|yes)$/i.test(text)) return true
  if (/^(0|f|false|off|n|no)$/i.test(text)) return false
  throw new Problem('invalid', `Invalid is_public filter [${text}]`)
}

function scopeOf({ can, caller, query }: Ask): FlavorScope {
  const isAdmin = can('context_is_admin')
  return { projectId: caller.projectId, all: isAdmin, isPublic: isAdmin ? isPublicOf(query['is_public']?.[0]) : true }
}

export const flavorMissing = ({ flavor_id }: Record<string, string>) => `Flavor ${flavor_id} could not be found.`

export const flavorSubject =
  (flavors: Flavors) =>
  ({ params, can, caller }: Omit<Ask, 'subject' | 'body'>) =>
    flavors.findFor(params['flavor_id']!, { projectId: caller.projectId, all: can('context_is_admin') })

export function flavorEndpoints(flavors: Flavors): Endpoint[] {
  const list = (path: string, shape: typeof brief) =>
    endpoint({
      on: `GET ${path}`,
      policy: 'token',
      query: listQuery,
      async handle(ask) {
        for (const name of ['minRam', 'minDisk'])
          if (!/^\d+$/.test(ask.query[name]?.[0] ?? '0'))
            throw new Problem('invalid', `Invalid ${name} filter [${ask.query[name]?.[0]}]`)
        const { flavors: found, more } = await flavors.list(scopeOf(ask), pageAsk(flavorListing, ask.query))
        const shown = found.map((flavor) => render(shape, { ...flavor, where: ask }, context(ask)))
        return { flavors: shown, ...(more ? { flavors_links: nextLink(ask, path, found.at(-1)!.id) } : {}) }
      },
    })
  const subject = flavorSubject(flavors)
  const show = (flavor: Flavor, ask: Ask) => ({ flavor: render(whole, { ...flavor, where: ask }, context(ask)) })
  return [
    list('/flavors', brief),
    list('/flavors/detail', whole),
    endpoint({
      on: 'GET /flavors/{flavor_id}',
      policy: 'token',
      query: noQuery,
      subject,
      missing: flavorMissing,
      handle: async (ask) => show(ask.subject as Flavor, ask as Ask),
    }),
    endpoint({
      on: 'POST /flavors',
      policy: 'os_compute_api:os-flavor-manage:create',
      body: NewFlavor,
      async handle(ask) {
        const flavor = fromWire((ask.body as { flavor: Record<string, unknown> }).flavor)
        await flavors.create(flavor)
        return show(flavor, ask as Ask)
      },
    }),
    endpoint({
      on: 'PUT /flavors/{flavor_id}',
      policy: 'os_compute_api:os-flavor-manage:update',
      since: '2.55',
      body: within('flavor', loose({ description: LongDescription }, ['description'])),
      subject,
      missing: flavorMissing,
      async handle(ask) {
        const description = ask.body['flavor']!['description'] as string | null
        await flavors.describe(ask.subject!.id, description)
        return show({ ...ask.subject!, description }, ask as Ask)
      },
    }),
    endpoint({
      on: 'DELETE /flavors/{flavor_id}',
      policy: 'os_compute_api:os-flavor-manage:delete',
      status: 202,
      subject,
      missing: flavorMissing,
      async handle({ params }) {
        await flavors.remove(params['flavor_id']!)
      },
    }),
  ]
}
