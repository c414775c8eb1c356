import type { Clock } from '../../../kit/clock.ts'
import { isProblem } from '../../../kit/errors.ts'
import type { Inventory, Placement } from '../contract.ts'
import type { PlacementDb, PlacementRead, PlacementTx } from '../tables.ts'
import { replaceAllocations, type Wanted } from './allocating.ts'
import { capacity, refusal } from './inventory.ts'
import { stockOf, traitsOfAll } from './stock.ts'

type Claims = Pick<Placement, 'candidates' | 'claim' | 'release' | 'claimAside' | 'takeBack' | 'allocationsOf' | 'usages'>
type Needs = Parameters<Placement['candidates']>[0]

/** What services that place things ask: each thing takes what it needs of one provider. */
export function openClaims(db: PlacementDb, clock: Clock): Claims {
  const { read } = db
  /** False: the provider has no room, or is gone. */
  const take = async (provider: string, within: (tx: PlacementTx) => Promise<void>): Promise<boolean> => {
    try {
      await db.transaction(within)
      return true
    } catch (error) {
      if (isProblem(error, 'no-capacity') || (isProblem(error, 'invalid') && !(await exists(read, provider)))) return false
      throw error
    }
  }
  return {
    candidates: (needs) => candidates(read, needs),
    async claim({ consumer, provider, resources, projectId, userId }) {
      if (isHeld(await held(read, consumer), provider, resources)) return true
      const want = { consumer, projectId, userId, type: 'INSTANCE', generation: undefined, resources: { [provider]: resources } }
      return take(provider, (tx) => replaceAllocations(tx, clock.now(), [want]))
    },
    async release({ consumer }) {
      if ((await held(read, consumer)).length === 0) return
      const nothing = { consumer, projectId: '', userId: '', type: '', generation: undefined, resources: {} }
      await db.transaction((tx) => replaceAllocations(tx, clock.now(), [nothing]))
    },
    claimAside: ({ consumer, aside, provider, resources, projectId, userId }) =>
      take(provider, async (tx) => {
        const kept = byProvider(await held(tx, aside))
        const given = Object.keys(kept).length > 0 ? kept : byProvider(await held(tx, consumer))
        const whose = { projectId, userId, generation: undefined }
        await replaceAllocations(tx, clock.now(), [
          { ...whose, consumer: aside, type: 'MIGRATION', resources: given },
          { ...whose, consumer, type: 'INSTANCE', resources: { [provider]: resources } },
        ])
      }),
    takeBack: ({ consumer, aside, projectId, userId }) =>
      db.transaction(async (tx) => {
        const kept = byProvider(await held(tx, aside))
        if (Object.keys(kept).length === 0) return
        const whose = { projectId, userId, generation: undefined }
        await replaceAllocations(tx, clock.now(), [
          { ...whose, consumer: aside, type: '', resources: {} },
          { ...whose, consumer, type: 'INSTANCE', resources: kept },
        ])
      }),
    allocationsOf: ({ consumer }) => held(read, consumer),
    usages: () => usages(read),
  }
}

type Held = Awaited<ReturnType<Placement['allocationsOf']>>

async function held(read: PlacementRead, consumer: string): Promise<Held> {
  const rows = await read
    .selectFrom('placement_allocation')
    .selectAll()
    .where('consumer_id', '=', consumer)
    .orderBy('provider_id')
    .orderBy('class')
    .execute()
  return [...Map.groupBy(rows, (row) => row.provider_id)].map(([provider, of]) => ({
    provider,
    resources: Object.fromEntries(of.map((row) => [row.class, row.used])),
  }))
}

const byProvider = (all: Held): Wanted['resources'] =>
  Object.fromEntries(all.map(({ provider, resources }) => [provider, resources]))

function isHeld(now: Held, provider: string, resources: Record<string, number>): boolean {
  const [only, ...others] = now
  if (!only || others.length > 0 || only.provider !== provider) return false
  const wanted = Object.entries(resources)
  return wanted.length === Object.keys(only.resources).length && wanted.every(([name, amount]) => only.resources[name] === amount)
}

const exists = async (read: PlacementRead, id: string): Promise<boolean> =>
  (await read.selectFrom('placement_provider').select('id').where('id', '=', id).executeTakeFirst()) !== undefined

async function candidates(read: PlacementRead, needs: Needs): ReturnType<Placement['candidates']> {
  const providers = await read.selectFrom('placement_provider').select(['id', 'name']).orderBy('name').execute()
  const stock = await stockOf(read, { classes: Object.keys(needs.resources) })
  const traits = await traitsOfAll(read)
  const found: Awaited<ReturnType<Placement['candidates']>> = { fitting: [], refused: [] }
  for (const { id, name } of providers) {
    const shelf = stock.get(id) ?? new Map()
    const own = traits.get(id) ?? new Set()
    const reason = traitReason(own, needs) ?? shelfReason(shelf, needs)
    if (reason) found.refused.push({ provider: id, name, reason })
    else found.fitting.push({ provider: id, name, free: freeOn(shelf), traits: [...own] })
  }
  return found
}

type Shelf = Map<string, { inventory: Inventory; used: number }>

function traitReason(own: Set<string>, { requiredTraits, forbiddenTraits }: Needs): string | undefined {
  const missing = requiredTraits.filter((trait) => !own.has(trait))
  if (missing.length > 0) return `It lacks ${missing.join(', ')}.`
  const bad = forbiddenTraits.filter((trait) => own.has(trait))
  return bad.length > 0 ? `It has ${bad.join(', ')}.` : undefined
}

function shelfReason(shelf: Shelf, { resources }: Needs): string | undefined {
  const reasons = Object.entries(resources).flatMap(([resource, amount]) => {
    const at = shelf.get(resource)
    return refusal(at?.inventory, at?.used ?? 0, amount, resource) ?? []
  })
  return reasons.length > 0 ? reasons.join(' ') : undefined
}

const freeOn = (shelf: Shelf): Record<string, number> =>
  Object.fromEntries([...shelf].map(([resource, { inventory, used }]) => [resource, capacity(inventory) - used]))

async function usages(read: PlacementRead): ReturnType<Placement['usages']> {
  const providers = await read.selectFrom('placement_provider').select(['id', 'name']).orderBy('name').execute()
  const stock = await stockOf(read)
  return providers.map(({ id, name }) => {
    const shelf = [...(stock.get(id) ?? new Map())] as [string, { inventory: Inventory; used: number }][]
    return {
      provider: id,
      name,
      inventories: Object.fromEntries(shelf.map(([resource, { inventory }]) => [resource, inventory])),
      used: Object.fromEntries(shelf.map(([resource, { used }]) => [resource, used])),
    }
  })
}
