import { forTables } from '../../kit/db/open.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import { allocationEndpoints } from './api/allocations.ts'
import { candidateEndpoints } from './api/candidates.ts'
import { classEndpoints } from './api/classes.ts'
import { placementDialect } from './api/dialect.ts'
import { inventoryEndpoints } from './api/inventories.ts'
import { providerMarkEndpoints } from './api/provider-marks.ts'
import { providerEndpoints } from './api/providers.ts'
import { reshaperEndpoints } from './api/reshaper.ts'
import { rootEndpoints } from './api/root.ts'
import { traitEndpoints } from './api/traits.ts'
import { usageEndpoints } from './api/usages.ts'
import type { Placement } from './contract.ts'
import { audit } from './domain/audit.ts'
import { openClaims } from './domain/claims.ts'
import { openStewardship } from './domain/stewardship.ts'
import { placementPolicies } from './policy.ts'
import { type PlacementTables, placementMigrations } from './tables.ts'

export const placementKind: ServiceKind = { name: 'placement', migrations: placementMigrations, policies: placementPolicies }

export function openPlacement({ db: database, clock }: Deps): Service<Placement> {
  const db = forTables<PlacementTables>(database)
  return {
    dialect: placementDialect,
    endpoints: [
      ...rootEndpoints(),
      ...providerEndpoints(db, clock),
      ...inventoryEndpoints(db, clock),
      ...providerMarkEndpoints(db, clock),
      ...allocationEndpoints(db, clock),
      ...candidateEndpoints(db),
      ...classEndpoints(db, clock),
      ...traitEndpoints(db, clock),
      ...usageEndpoints(db),
      ...reshaperEndpoints(db, clock),
    ],
    machines: [],
    contract: { ...openStewardship(db, clock), ...openClaims(db, clock) },
    audit: () => audit(db.read),
  }
}
