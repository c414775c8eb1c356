import type { RawBuilder } from 'kysely'
import type { Filter } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import type { Ask, Target } from '../../../kit/http/endpoint.ts'
import type { Policy } from '../../../kit/policy/policy.ts'
import type { On } from '../domain/store.ts'
import type { Standard } from '../tables.ts'
import type { Kind } from './kinds.ts'

/** One name of a resource on the wire: how it is shown, read, found and sorted by. */
export type Attribute<Item> = {
  /** Undefined: never shown. */
  from?: (item: Item) => unknown
  /** How a request's value is read. Undefined: nobody may give it. */
  take?: Kind<unknown>
  /** Default: both, where there is `take`. */
  in?: 'post' | 'put'
  required?: true
  /** What is as good as not giving it at birth: no rule is asked then. */
  usual?: unknown
  filter?: Filter<string> | Condition
  sort?: string
}

/** A filter that is more than a comparison of a column. */
export type Condition = { where: (values: string[]) => RawBuilder<boolean> }

export type Rows<Row> = { execute(): Promise<Row[]> }

export type Resource<Row extends Standard, Item extends Row> = {
  /** Singular as in rules and bodies: `security_group`. */
  name: string
  /** As in bodies: `security_groups`. */
  plural: string
  /** As in paths: `/security-groups`. */
  path: string
  table: string
  attributes: Record<string, Attribute<Item>>
  find(on: On, id: string): Promise<Row | undefined>
  /** What is shown beside the row, for many at once. */
  load(on: On, rows: Row[]): Promise<Item[]>
  /** What rules compare, from rows. */
  target(item: Item): Target
  /** Which rows a caller may know of who may not know of all. */
  visible(projectId: string): RawBuilder<boolean>
  missing(id: string): Problem
}

/** Values of a request by their wire names, each read as its kind. */
export type Values = Record<string, unknown>

export const ownTarget = ({ project_id }: { project_id: string }): Target => ({ project_id, tenant_id: project_id })

/** A target that is nobody's: who may see it sees everything. */
export const foreign: Target = {
  project_id: ' ',
  tenant_id: ' ',
  'network:project_id': ' ',
  'security_group:project_id': ' ',
  'ext_parent:project_id': ' ',
  shared: false,
  'router:external': false,
}

/** Rules about single attributes, as the service's table of rules has them: a rule that is there is never forgotten. */
export type AttributeRules = { attribute: string; part: string | undefined; rule: string }[]

export function attributeRules(
  policy: Policy,
  verb: 'create' | 'update' | 'get',
  name: string,
  attributes: string[],
): AttributeRules {
  const prefix = `${verb}_${name}:`
  const names = policy
    .rules()
    .map((one) => one.name)
    .filter((one) => one.startsWith(prefix))
  return names.flatMap((rule): AttributeRules => {
    const rest = rule.slice(prefix.length)
    if (attributes.includes(rest)) return [{ attribute: rest, part: undefined, rule }]
    const attribute = attributes.find((one) => rest.startsWith(`${one}:`))
    return attribute === undefined ? [] : [{ attribute, part: rest.slice(attribute.length + 1), rule }]
  })
}

const hasPart = (value: unknown, part: string): boolean =>
  Array.isArray(value)
    ? value.some((item) => hasPart(item, part))
    : typeof value === 'object' && value !== null && Object.hasOwn(value, part)

/** Throws forbidden when a rule about something that is given does not allow it. */
export function enforceAttributes(rules: AttributeRules, givenValues: Values, ask: Pick<Ask, 'can'>, target: Target): void {
  for (const { attribute, part, rule } of rules) {
    if (!Object.hasOwn(givenValues, attribute)) continue
    if (part !== undefined && !hasPart(givenValues[attribute], part)) continue
    if (!ask.can(rule, target)) throw forbidden(rule)
  }
}

export const forbidden = (rule: string): Problem =>
  new Problem('forbidden', `Policy doesn't allow ${rule} to be performed.`, { code: 'PolicyNotAuthorized', detail: { rule } })
