import { type Static, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { couldNotFind } from '../domain/names.ts'
import { type Roles, roleListing } from '../domain/roles.ts'
import * as wire from './wire.ts'

/** Roles by id, or by a name that only one of them has. */
export const RoleNames = Type.Array(
  Type.Object(
    { id: Type.Optional(wire.Id), name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) },
    { minProperties: 1, maxProperties: 1, additionalProperties: false },
  ),
  { maxItems: 100 },
)

export async function roleIdsOf(roles: Roles, named: Static<typeof RoleNames>): Promise<string[]> {
  const ids = new Set<string>()
  for (const { id, name } of named) ids.add(id ?? (await idOf(roles, name!)))
  return [...ids]
}

async function idOf(roles: Roles, name: string): Promise<string> {
  const { rows } = await roles.list(pageAsk(roleListing, { name: [name] }))
  // A role of everywhere comes before those that domains call the same.
  const everywhere = rows.filter((role) => role.domainId === '')
  const [found, other] = everywhere.length > 0 ? everywhere : rows
  if (!found) throw couldNotFind('role', name)
  if (other) throw new Problem('conflict', `More than one role is called ${name}. Please name it by its id.`)
  return found.id
}
