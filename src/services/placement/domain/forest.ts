import type { PlacementRead } from '../tables.ts'
import { refusal } from './inventory.ts'
import { type Provider, providerOf } from './providers.ts'
import { aggregatesOfAll, type Stock, stockOf, traitsOfAll } from './stock.ts'

const shares = 'MISC_SHARES_VIA_AGGREGATE'

/** All providers with what they have, for questions that look across trees. */
export type Forest = {
  providers: Map<string, Provider>
  stock: Stock
  traits: Map<string, Set<string>>
  aggregates: Map<string, Set<string>>
  /** Roots of the trees that may use it: its own, and for one that shares those with a provider in one of its aggregates. */
  anchors(provider: Provider): Set<string>
  isSharing(id: string): boolean
  hasRoom(id: string, resource: string, amount: number): boolean
  /** The provider and those above it. */
  lineage(id: string): string[]
}

export async function readForest(read: PlacementRead): Promise<Forest> {
  const rows = await read.selectFrom('placement_provider').selectAll().orderBy('name').execute()
  const providers = new Map(rows.map((row) => [row.id, providerOf(row)]))
  const [stock, traits, aggregates] = [await stockOf(read), await traitsOfAll(read), await aggregatesOfAll(read)]
  const isSharing = (id: string) => traits.get(id)?.has(shares) ?? false
  const rootsByAggregate = new Map<string, Set<string>>()
  for (const { id, rootId } of providers.values())
    for (const aggregate of aggregates.get(id) ?? [])
      rootsByAggregate.set(aggregate, (rootsByAggregate.get(aggregate) ?? new Set()).add(rootId))
  return {
    providers,
    stock,
    traits,
    aggregates,
    isSharing,
    anchors({ id, rootId }) {
      const roots = new Set([rootId])
      if (!isSharing(id)) return roots
      for (const aggregate of aggregates.get(id) ?? []) for (const root of rootsByAggregate.get(aggregate)!) roots.add(root)
      return roots
    },
    hasRoom(id, resource, amount) {
      const shelf = stock.get(id)?.get(resource)
      return refusal(shelf?.inventory, shelf?.used ?? 0, amount, resource) === undefined
    },
    lineage(id) {
      const line: string[] = []
      for (let at: string | undefined = id; at !== undefined; at = providers.get(at)?.parentId) line.push(at)
      return line
    },
  }
}
