import { type Static, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { hexId } from '../../../kit/ids.ts'
import { existing } from '../domain/names.ts'
import { type Region, type Regions, regionListing } from '../domain/regions.ts'
import * as wire from './wire.ts'

const fields = {
  id: Type.Optional(Type.String({ maxLength: 255 })),
  description: Type.Optional(wire.NullableText),
  parent_region_id: Type.Optional(wire.NullableText),
}
const RegionBody = Type.Object(fields)
const RegionChange = Type.Object(fields, { minProperties: 1 })

const regionView =
  (ask: Pick<Ask, 'origin'>) =>
  (region: Region): object => ({
    ...region.extra,
    id: region.id,
    description: region.description,
    parent_region_id: region.parentId || null,
    links: { self: wire.linkTo(ask, `regions/${encodeURIComponent(region.id)}`) },
  })

export function regionEndpoints(regions: Regions): Endpoint[] {
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['region_id']!
  const create = (id: string, body: Static<typeof RegionBody>) =>
    regions.create({
      id,
      description: body.description ?? '',
      parentId: body.parent_region_id ?? '',
      extra: wire.extraOf(body, RegionBody),
    })
  return [
    endpoint({
      on: 'GET /regions',
      policy: 'identity:list_regions',
      summary: 'List regions',
      handle: async (ask) =>
        wire.collection(ask, 'regions', await regions.list(wire.listAsk(regionListing, ask.query)), regionView(ask)),
    }),
    endpoint({
      on: 'POST /regions',
      policy: 'identity:create_region',
      summary: 'Create a region',
      status: 201,
      body: wire.one('region', RegionBody),
      handle: async (ask) => ({ region: regionView(ask)(await create(ask.body.region.id || hexId(), ask.body.region)) }),
    }),
    endpoint({
      on: 'PUT /regions/{region_id}',
      policy: 'identity:create_region',
      summary: 'Create a region of a chosen id',
      status: 201,
      body: wire.one('region', RegionBody),
      async handle(ask) {
        const other = ask.body.region.id
        if (other !== undefined && other !== idOf(ask))
          throw new Problem('invalid', `Conflicting region IDs specified: "${idOf(ask)}" != "${other}"`)
        return { region: regionView(ask)(await create(idOf(ask), ask.body.region)) }
      },
    }),
    endpoint({
      on: 'GET /regions/{region_id}',
      policy: 'identity:get_region',
      summary: 'Show a region',
      handle: async (ask) => ({ region: regionView(ask)(existing(await regions.find(idOf(ask)), 'region', idOf(ask))) }),
    }),
    endpoint({
      on: 'PATCH /regions/{region_id}',
      policy: 'identity:update_region',
      summary: 'Change a region',
      body: wire.one('region', RegionChange),
      async handle(ask) {
        const { region } = ask.body
        wire.assertSameId(region, idOf(ask))
        const changed = await regions.update(idOf(ask), {
          ...wire.given('description', region.description === null ? '' : region.description),
          ...wire.given('parentId', region.parent_region_id === null ? '' : region.parent_region_id),
          extra: wire.extraOf(region, RegionBody),
        })
        return { region: regionView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /regions/{region_id}',
      policy: 'identity:delete_region',
      summary: 'Delete a region and those below',
      handle: (ask) => regions.remove(idOf(ask)),
    }),
  ]
}
