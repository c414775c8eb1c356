import { type Dialect, reasonPhrase, type SchemaIssue } from '../../../kit/http/dialect.ts'

/** Identity has no microversions; everything depends on the token; and errors have a code, a title and a message. */
export const identityDialect: Dialect = {
  bases: ['/v3'],
  status: { 'over-quota': 403 },
  headers: () => ({ Vary: 'X-Auth-Token' }),
  error({ status, message, problem }) {
    const rule = problem.code === 'PolicyNotAuthorized' ? problem.detail['rule'] : undefined
    const text = rule === undefined ? message : `You are not authorized to perform the requested action: ${String(rule)}.`
    return { body: { error: { code: status, message: text, title: reasonPhrase[status] ?? 'Error' } } }
  },
  invalid: describeIssue,
}

/** In the words of the Python validator, which people search for: `Invalid input for field 'name': 5 is not of type 'string'`. */
export function describeIssue({ at, keyword, message, params, value }: SchemaIssue): string {
  const path = at.split('/').slice(1).join('/')
  const detail = sentenceOf(keyword, params, value) ?? `${shown(value)} ${message}`
  return path === '' ? detail : `Invalid input for field '${path}': ${detail}`
}

function sentenceOf(keyword: string, params: Record<string, unknown>, value: unknown): string | undefined {
  if (keyword === 'required') return `'${String(params['missingProperty'])}' is a required property`
  if (keyword === 'additionalProperties')
    return `Additional properties are not allowed ('${String(params['additionalProperty'])}' was unexpected)`
  if (keyword === 'type')
    return `${shown(value)} is not of type ${[params['type']]
      .flat()
      .map((type) => `'${String(type)}'`)
      .join(', ')}`
  if (keyword === 'maxLength' || keyword === 'maxItems') return `${shown(value)} is too long`
  if (keyword === 'minLength' || keyword === 'minItems') return `${shown(value)} is too short`
  if (keyword === 'minProperties') return `${shown(value)} does not have enough properties`
  if (keyword === 'uniqueItems') return `${shown(value)} has non-unique elements`
  if (keyword === 'pattern') return `${shown(value)} does not match '${String(params['pattern'])}'`
  if (keyword === 'enum') return `${shown(value)} is not one of [${(params['allowedValues'] as unknown[]).map(shown).join(', ')}]`
  return undefined
}

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  return typeof value === 'string' ? `'${value.slice(0, 200)}'` : JSON.stringify(value).slice(0, 200)
}
