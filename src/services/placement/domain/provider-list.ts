import type { PlacementRead } from '../tables.ts'
import { refusal } from './inventory.ts'
import { findProvider, type Provider, providerOf } from './providers.ts'
import { aggregatesOfAll, stockOf, traitsOfAll } from './stock.ts'
import { assertClasses, assertTraits, suits } from './wishes.ts'

export type ProviderFilter = {
  name: string | undefined
  id: string | undefined
  /** Any provider of the tree. */
  inTree: string | undefined
  /** Room for each of these amounts. */
  resources: Record<string, number>
  required: Set<string>[]
  forbidden: Set<string>
  memberOf: Set<string>[]
  notMemberOf: Set<string>
}

/** Providers that answer to all of the filter. What is not asked about is not read. */
export async function listProviders(read: PlacementRead, filter: ProviderFilter): Promise<Provider[]> {
  await assertClasses(read, Object.keys(filter.resources))
  await assertTraits(read, [...filter.required.flatMap((some) => [...some]), ...filter.forbidden])
  const tree = filter.inTree === undefined ? undefined : await findProvider(read, filter.inTree)
  if (filter.inTree !== undefined && !tree) return []
  const rows = await read
    .selectFrom('placement_provider')
    .selectAll()
    .$if(filter.name !== undefined, (query) => query.where('name', '=', filter.name!))
    .$if(filter.id !== undefined, (query) => query.where('id', '=', filter.id!))
    .$if(tree !== undefined, (query) => query.where('root_id', '=', tree!.rootId))
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  const tests = [await hasRoom(read, filter), await hasTraits(read, filter), await isMember(read, filter)]
  return rows.map(providerOf).filter(({ id }) => tests.every((test) => test(id)))
}

type Test = (id: string) => boolean

async function hasRoom(read: PlacementRead, { resources }: ProviderFilter): Promise<Test> {
  const asked = Object.entries(resources)
  if (asked.length === 0) return () => true
  const stock = await stockOf(read, { classes: Object.keys(resources) })
  return (id) =>
    asked.every(([name, amount]) => {
      const shelf = stock.get(id)?.get(name)
      return refusal(shelf?.inventory, shelf?.used ?? 0, amount, name) === undefined
    })
}

async function hasTraits(read: PlacementRead, { required, forbidden }: ProviderFilter): Promise<Test> {
  if (required.length === 0 && forbidden.size === 0) return () => true
  const traits = await traitsOfAll(read)
  return (id) => suits(traits.get(id), required, forbidden)
}

async function isMember(read: PlacementRead, { memberOf, notMemberOf }: ProviderFilter): Promise<Test> {
  if (memberOf.length === 0 && notMemberOf.size === 0) return () => true
  const aggregates = await aggregatesOfAll(read)
  return (id) => suits(aggregates.get(id), memberOf, notMemberOf)
}
