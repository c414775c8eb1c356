import { Problem } from '../../../kit/errors.ts'
import type { Query } from '../../../kit/http/endpoint.ts'
import { isUuid } from '../../../kit/ids.ts'

/** `required`: of each set one at least. `forbidden`: none of them. */
export type TraitWish = { required: Set<string>[]; forbidden: Set<string> }
/** `memberOf`: of each set one at least. `notMemberOf`: none of them. */
export type AggregateWish = { memberOf: Set<string>[]; notMemberOf: Set<string> }

const bad = (message: string) => new Problem('invalid', message)

/** `VCPU:2,MEMORY_MB:1024` */
export function resourcesAsked(text: string | undefined): Record<string, number> {
  if (text === undefined) return {}
  const form =
    'Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024.'
  if (text.trim() === '') throw bad(`${form} Got: empty string.`)
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name, amount, more] = pair.split(':')
      if (name === undefined || amount === undefined || more !== undefined) throw bad(`${form} Got: ${pair}.`)
      return [name, amountOf(name, amount)]
    }),
  )
}

function amountOf(name: string, text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw bad(`Requested resource ${name} expected positive integer amount. Got: ${text}.`)
  const amount = Number(text)
  if (amount < 1) throw bad(`Requested resource ${name} requires amount >= 1. Got: ${amount}.`)
  return amount
}

/** `required` and its like: `A,B`, with `!` for what must not be there from 1.22 on, `in:A,B` for any of them and several parameters from 1.39 on. */
export function traitsAsked(query: Query, version: number, suffix = ''): TraitWish {
  const values = query[`required${suffix}`] ?? []
  const wishes = (version >= 39 ? values : values.slice(-1)).map((text) => traitList(text, version))
  return {
    required: wishes.flatMap(({ required }) => required),
    forbidden: new Set(wishes.flatMap(({ forbidden }) => [...forbidden])),
  }
}

export function traitList(text: string, version: number, allowAny = version >= 39): TraitWish {
  if (text.startsWith('in:')) return { required: [anyOf(text, allowAny)], forbidden: new Set() }
  const mayForbid = version >= 22
  const form = `Invalid query string parameters: Expected 'required' parameter value of the form: HW_CPU_X86_VMX,${mayForbid ? '!' : ''}CUSTOM_MAGIC.`
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name.replace(/^!+/, '') === '')) throw bad(`${form} Got an empty trait in: ${text}`)
  const forbidden = names.filter((name) => name.startsWith('!')).map((name) => name.replace(/^!+/, ''))
  if (forbidden.length > 0 && !mayForbid) throw bad(`${form} Got: ${text}`)
  return { required: names.filter((name) => !name.startsWith('!')).map((name) => new Set([name])), forbidden: new Set(forbidden) }
}

function anyOf(text: string, allowed: boolean): Set<string> {
  const form = "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC'"
  if (!allowed) throw bad(`Invalid query string parameters: ${form} is only supported since microversion 1.39. Got: ${text}`)
  const names = text
    .slice(3)
    .split(',')
    .map((name) => name.trim())
  if (names.includes('')) throw bad(`Invalid query string parameters: ${form} has an empty trait in: ${text}`)
  if (names.some((name) => name.startsWith('!')))
    throw bad(`Invalid query string parameters: ${form} does not support forbidden traits. Got: ${text}`)
  return new Set(names)
}

/** `member_of`: a UUID, `in:` several, and with `!` in front, from 1.32 on, none of them. Several parameters from 1.24 on. */
export function aggregatesAsked(query: Query, version: number, suffix = ''): AggregateWish {
  const values = query[`member_of${suffix}`] ?? []
  if (values.length > 1 && version < 24) throw bad(`Multiple member_of${suffix} parameters are not supported`)
  const wish: AggregateWish = { memberOf: [], notMemberOf: new Set() }
  for (const text of values) {
    const { ids, not } = aggregateList(text)
    if (not && version < 32) throw bad(`Forbidden member_of${suffix} parameters are not supported in the specified microversion`)
    if (not) for (const id of ids) wish.notMemberOf.add(id)
    else wish.memberOf.push(new Set(ids))
  }
  return wish
}

function aggregateList(text: string): { ids: string[]; not: boolean } {
  const [, not, several, rest] = /^(!?)(in:)?(.*)$/s.exec(text)!
  if (rest!.includes(',') && !several)
    throw bad(
      `Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${text}`,
    )
  const ids = several ? rest!.split(',') : [rest!]
  const wrong = ids.find((id) => !isUuid(id))
  if (wrong !== undefined)
    throw bad(`Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: ${wrong}`)
  return { ids: ids.map((id) => id.toLowerCase()), not: not === '!' }
}
