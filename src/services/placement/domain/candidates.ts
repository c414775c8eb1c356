import type { PlacementRead } from '../tables.ts'
import { type Forest, readForest } from './forest.ts'
import { capacity } from './inventory.ts'
import type { Provider } from './providers.ts'
import { assertClasses, assertTraits, suits } from './wishes.ts'

/** One group of a request. The one without a suffix may be met by several providers of a tree together, any other by one alone. */
export type Group = {
  suffix: string
  resources: Record<string, number>
  required: Set<string>[]
  forbidden: Set<string>
  memberOf: Set<string>[]
  notMemberOf: Set<string>
  /** Any provider of the tree it must come from. */
  inTree: string | undefined
}

export type CandidateAsk = {
  groups: Group[]
  limit: number | undefined
  /** Groups with a suffix must each have a provider of their own. */
  isolate: boolean
  rootRequired: Set<string>
  rootForbidden: Set<string>
  /** Suffixes of groups of which one provider must be above (or be) all the others. */
  sameSubtrees: string[][]
  /** Whether two providers of one tree may be combined (from 1.29 on). */
  nested: boolean
}

/** Something to hand to `PUT /allocations`: by provider and class, and which providers meet which group. */
export type Candidate = { anchor: string; resources: Map<string, Map<string, number>>; mappings: Map<string, Set<string>> }

type Part = { anchor: string; suffix: string; takes: [provider: string, resource: string, amount: number][]; by: Set<string> }

/** Every way to meet the request, tree by tree in order of names. Throws invalid on unknown classes and traits. */
export async function findCandidates(read: PlacementRead, ask: CandidateAsk): Promise<{ found: Candidate[]; forest: Forest }> {
  await assertClasses(
    read,
    ask.groups.flatMap((group) => Object.keys(group.resources)),
  )
  await assertTraits(read, [...ask.groups.flatMap(namesOf), ...ask.rootRequired, ...ask.rootForbidden])
  const forest = await readForest(read)
  const parts = ask.groups.map((group) =>
    Map.groupBy(
      partsOf(forest, group).filter((part) => isGoodRoot(forest, ask, part.anchor)),
      (part) => part.anchor,
    ),
  )
  const found = new Map<string, Candidate>()
  for (const anchor of forest.providers.keys())
    for (const combination of product(parts.map((byAnchor) => byAnchor.get(anchor) ?? []))) {
      if (ask.limit !== undefined && found.size >= ask.limit) return { found: [...found.values()], forest }
      const candidate = fits(forest, ask, combination) ? merged(forest, anchor, combination) : undefined
      if (candidate && (ask.nested || isFlat(forest, candidate))) found.set(keyOf(candidate), candidate)
    }
  return { found: [...found.values()], forest }
}

const namesOf = ({ required, forbidden }: Group): string[] => [...required.flatMap((some) => [...some]), ...forbidden]

const isGoodRoot = ({ traits }: Forest, { rootRequired, rootForbidden }: CandidateAsk, root: string): boolean =>
  suits(
    traits.get(root),
    [...rootRequired].map((one) => new Set([one])),
    rootForbidden,
  )

function partsOf(forest: Forest, group: Group): Part[] {
  const tree = group.inTree === undefined ? undefined : forest.providers.get(group.inTree)
  if (group.inTree !== undefined && !tree) return []
  const providers = [...forest.providers.values()].filter(({ rootId }) => !tree || rootId === tree.rootId)
  return group.suffix === '' ? togetherParts(forest, group, providers) : aloneParts(forest, group, providers)
}

/** One provider that has everything itself, once for each tree that may use it. */
function aloneParts(forest: Forest, group: Group, providers: Provider[]): Part[] {
  const asked = Object.entries(group.resources)
  return providers
    .filter(({ id }) => asked.every(([resource, amount]) => forest.hasRoom(id, resource, amount)))
    .filter(({ id }) => suits(forest.traits.get(id), group.required, group.forbidden))
    .filter(({ id }) => suits(forest.aggregates.get(id), group.memberOf, group.notMemberOf))
    .flatMap((provider) =>
      [...forest.anchors(provider)].map((anchor) => ({
        anchor,
        suffix: group.suffix,
        takes: asked.map(([resource, amount]): Part['takes'][number] => [provider.id, resource, amount]),
        by: new Set([provider.id]),
      })),
    )
}

/** Each class from any provider of the tree, or one that shares with it; their traits count together. */
function togetherParts(forest: Forest, group: Group, providers: Provider[]): Part[] {
  const asked = Object.entries(group.resources)
  const sources = asked.map(([resource, amount]) => sourcesOf(forest, group, providers, resource, amount))
  const anchors = [...(sources[0]?.keys() ?? [])]
  return anchors.flatMap((anchor) =>
    [...product(sources.map((byAnchor) => byAnchor.get(anchor) ?? []))]
      .filter((chosen) => haveTraits(forest, group, chosen))
      .map((chosen) => ({
        anchor,
        suffix: '',
        takes: chosen.map((id, at): Part['takes'][number] => [id, ...asked[at]!]),
        by: new Set(chosen),
      })),
  )
}

/** By tree: who could give this. Membership counts when the provider has it or the root of the tree. */
function sourcesOf(forest: Forest, group: Group, providers: Provider[], resource: string, amount: number) {
  const { memberOf, notMemberOf } = group
  const isMember = (id: string) => suits(forest.aggregates.get(id), memberOf, new Set())
  const isBad = (id: string) => !suits(forest.aggregates.get(id), [], notMemberOf)
  const byAnchor = new Map<string, string[]>()
  for (const provider of providers.filter(({ id }) => forest.hasRoom(id, resource, amount)))
    for (const anchor of anchorsFor(forest, group, provider, isMember)) {
      if (!isMember(provider.id) && !isMember(anchor)) continue
      if (isBad(provider.id) || isBad(anchor)) continue
      byAnchor.set(anchor, [...(byAnchor.get(anchor) ?? []), provider.id])
    }
  return byAnchor
}

/** What is shared goes to other trees only when its own memberships are what was asked for, and never when one tree was. */
const anchorsFor = (forest: Forest, { inTree }: Group, provider: Provider, isMember: (id: string) => boolean) =>
  inTree === undefined && isMember(provider.id) ? forest.anchors(provider) : [provider.rootId]

function haveTraits({ traits }: Forest, { required, forbidden }: Group, chosen: string[]): boolean {
  const together = new Set(chosen.flatMap((id) => [...(traits.get(id) ?? [])]))
  return suits(together, required, forbidden)
}

/** Every way to take one of each. */
function* product<T>(choices: T[][], at = 0): Generator<T[]> {
  if (choices.some((some) => some.length === 0)) return
  if (at === choices.length) return yield []
  for (const first of choices[at]!) for (const rest of product(choices, at + 1)) yield [first, ...rest]
}

function fits(forest: Forest, { isolate, sameSubtrees }: CandidateAsk, parts: Part[]): boolean {
  const alone = parts.filter(({ suffix }) => suffix !== '')
  if (isolate && new Set(alone.flatMap(({ by }) => [...by])).size !== alone.length) return false
  return sameSubtrees.every((suffixes) => {
    const ids = [...new Set(parts.filter(({ suffix }) => suffixes.includes(suffix)).flatMap(({ by }) => [...by]))]
    return ids.length < 2 || ids.some((top) => ids.every((id) => forest.lineage(id).includes(top)))
  })
}

/** Groups added up; undefined when together they ask for more than there is. */
function merged(forest: Forest, anchor: string, parts: Part[]): Candidate | undefined {
  const candidate: Candidate = { anchor, resources: new Map(), mappings: new Map() }
  for (const { suffix, takes, by } of parts) {
    candidate.mappings.set(suffix, by)
    for (const [id, resource, amount] of takes) {
      const of = candidate.resources.get(id) ?? new Map()
      candidate.resources.set(id, of.set(resource, (of.get(resource) ?? 0) + amount))
    }
  }
  for (const [id, of] of candidate.resources)
    for (const [resource, amount] of of) if (!isWithin(forest, id, resource, amount)) return undefined
  return candidate
}

function isWithin({ stock }: Forest, id: string, resource: string, amount: number): boolean {
  const shelf = stock.get(id)?.get(resource)
  return shelf !== undefined && shelf.used + amount <= capacity(shelf.inventory) && amount <= shelf.inventory.maxUnit
}

const isFlat = ({ providers }: Forest, { resources }: Candidate): boolean =>
  new Set([...resources.keys()].map((id) => providers.get(id)!.rootId)).size === resources.size

/** The same providers for the same groups are one candidate, whichever tree led there. */
const keyOf = ({ resources, mappings }: Candidate): string =>
  JSON.stringify([
    [...resources].map(([id, of]) => [id, [...of].sort()]).sort(),
    [...mappings].map(([suffix, by]) => [suffix, [...by].sort()]).sort(),
  ])
