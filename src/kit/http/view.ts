/** What decides how an object is shown: the version asked for, and which rules allow the caller. */
export type ViewContext = { version: number; can(rule: string): boolean }

export type Field<Item> = {
  from: (item: Item, context: ViewContext) => unknown
  /** First and last microversion that shows it, as `2.26`. */
  since?: string
  until?: string
  /** Shown only to whom this rule allows. */
  rule?: string
}

export type View<Item> = { name: string; from: Field<Item>['from']; since: number; until: number; rule: string | undefined }[]

const minor = (version: string | undefined, otherwise: number): number =>
  version === undefined ? otherwise : Number(version.split('.')[1])

/** A table from wire names to where their values come from. Fields are shown in this order. */
export const view = <Item>(fields: Record<string, Field<Item> | Field<Item>['from']>): View<Item> =>
  Object.entries(fields).map(([name, field]) => {
    const { from, since, until, rule } =
      typeof field === 'function' ? { from: field, since: undefined, until: undefined, rule: undefined } : field
    return { name, from, since: minor(since, 0), until: minor(until, Number.POSITIVE_INFINITY), rule }
  })

/** Fields whose value is undefined are left out; null is shown. */
export function render<Item>(shape: View<Item>, item: Item, context: ViewContext): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const { name, from, since, until, rule } of shape) {
    if (context.version < since || context.version > until) continue
    if (rule !== undefined && !context.can(rule)) continue
    const value = from(item, context)
    if (value !== undefined) shown[name] = value
  }
  return shown
}
