import { Problem } from '../../../kit/errors.ts'
import type { Query } from '../../../kit/http/endpoint.ts'
import { dashed } from '../../../kit/ids.ts'
import type { CandidateAsk, Group } from '../domain/candidates.ts'
import { aggregatesAsked, resourcesAsked, traitList, traitsAsked } from './query.ts'

/** What may follow `resources` and its like: a number, from 1.33 on any short name. */
export const suffixPattern = (version: number): string => (version >= 33 ? '[a-zA-Z0-9_-]{1,64}' : '[1-9][0-9]*')

const bad = (message: string, code?: string) =>
  new Problem('invalid', message, code === undefined ? {} : { code: `placement.query.${code}` })

/** Reads the whole query. Throws invalid for what does not go together. */
export function candidateAsk(query: Query, version: number): CandidateAsk {
  const groups = groupsOf(query, version)
  const sameSubtrees = (query['same_subtree'] ?? []).map(suffixList)
  if (version >= 36) assertSubtrees(groups, sameSubtrees)
  else assertResources(groups)
  for (const group of groups) assertNoContradiction(group)
  const policy = query['group_policy']?.[0]
  if (policy === undefined && groups.filter(({ suffix }) => suffix !== '').length > 1)
    throw bad('The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.')
  const limit = query['limit']?.[0]
  return {
    groups,
    sameSubtrees,
    limit: limit === undefined ? undefined : Number(limit),
    isolate: policy === 'isolate',
    ...rootTraits(query, version),
    nested: version >= 29,
  }
}

function groupsOf(query: Query, version: number): Group[] {
  const pattern = new RegExp(`^(?:resources|required|member_of|in_tree)(${suffixPattern(version)})?$`)
  const suffixes = new Set(Object.keys(query).flatMap((name) => (pattern.test(name) ? [pattern.exec(name)![1] ?? ''] : [])))
  return [...suffixes].map((suffix) => ({
    suffix,
    resources: resourcesAsked(query[`resources${suffix}`]?.at(-1)),
    ...traitsAsked(query, version, suffix),
    ...aggregatesAsked(query, version, suffix),
    inTree: treeAsked(query[`in_tree${suffix}`]?.at(-1)),
  }))
}

function treeAsked(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const id = dashed(text.trim())
  if (id === undefined)
    throw bad(`Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: ${text}`)
  return id
}

function suffixList(text: string): string[] {
  const suffixes = text.split(',').map((suffix) => suffix.trim())
  if (suffixes.includes('')) throw bad('Empty string (unsuffixed group) can not be specified in `same_subtree` ', 'bad_value')
  return suffixes
}

const isEmpty = ({ resources }: Group) => Object.keys(resources).length === 0

function assertSubtrees(groups: Group[], sameSubtrees: string[][]): void {
  if (groups.every(isEmpty)) throw bad('There must be at least one resources or resources[$S] parameter.', 'missing_value')
  const named = new Set(sameSubtrees.flat())
  const loose = groups.filter((group) => isEmpty(group) && !named.has(group.suffix)).map(({ suffix }) => suffix)
  if (loose.length > 0)
    throw bad(
      `Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${loose.join(', ')}.`,
      'bad_value',
    )
  const known = new Set(groups.map(({ suffix }) => suffix))
  const unknown = [...named].filter((suffix) => !known.has(suffix))
  if (unknown.length > 0)
    throw bad(
      `Real suffixes should be specified in \`same_subtree\`: ${unknown.join(', ')} not found in ${[...known].join(', ')}.`,
      'bad_value',
    )
}

function assertResources(groups: Group[]): void {
  const orphans = groups.filter(isEmpty)
  const traits = orphans.filter(({ required }) => required.length > 0).map(({ suffix }) => `required${suffix}`)
  if (traits.length > 0)
    throw bad(
      `All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${traits.join(', ')}`,
    )
  const members = orphans
    .filter((one) => one.memberOf.length > 0 || one.notMemberOf.size > 0)
    .map(({ suffix }) => `member_of${suffix}`)
  if (members.length > 0)
    throw bad(
      `All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${members.join(', ')}`,
    )
  if (orphans.length > 0) throw bad('All request groups must specify resources.')
  if (groups.length === 0) throw bad('At least one request group (`resources` or `resources{$S}`) is required.')
}

function assertNoContradiction({ suffix, required, forbidden }: Group): void {
  const clash = required.find((some) => some.isSubsetOf(forbidden))
  if (clash)
    throw bad(
      `Conflicting required and forbidden traits found in the following traits keys: required${suffix}: (${[...clash].sort().join(', ')})`,
    )
}

function rootTraits(query: Query, version: number): Pick<CandidateAsk, 'rootRequired' | 'rootForbidden'> {
  const texts = query['root_required'] ?? []
  if (texts.length > 1) throw bad("Query parameter 'root_required' may be specified only once.", 'duplicate_key')
  if (texts[0] === undefined) return { rootRequired: new Set(), rootForbidden: new Set() }
  const { required, forbidden } = traitList(texts[0], version, false)
  const names = new Set(required.flatMap((some) => [...some]))
  const clash = names.intersection(forbidden)
  if (clash.size > 0)
    throw bad(`Conflicting required and forbidden traits found in root_required: ${[...clash].join(', ')}`, 'bad_value')
  return { rootRequired: names, rootForbidden: forbidden }
}
