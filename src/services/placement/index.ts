import { forTables } from '../../kit/db/open.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Placement } from './contract.ts'
import { openClaims } from './domain/claims.ts'
import { openStewardship } from './domain/stewardship.ts'
import { placementPolicies } from './policy.ts'
import { type PlacementTables, placementMigrations } from './tables.ts'

export const placementKind: ServiceKind = { name: 'placement', migrations: placementMigrations, policies: placementPolicies }

export function openPlacement({ db: database, clock }: Deps): Service<Placement> {
  const db = forTables<PlacementTables>(database)
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: { ...openStewardship(db, clock), ...openClaims(db, clock) },
  }
}
