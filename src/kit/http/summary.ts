import type { Endpoint } from './endpoint.ts'

const words = (name: string): string =>
  name
    .replace(/^os-/i, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[-_]/g, ' ')
    .toLowerCase()

const one = (plural: string): string =>
  plural.endsWith('ies') ? `${plural.slice(0, -3)}y` : /[^s]s$/.test(plural) ? plural.slice(0, -1) : plural

const a = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`

const isVariable = (step: string): boolean => step.startsWith('{')

/** What an endpoint without words of its own does, by its method and path alone: `List tags of a server`. */
export function summaryOf({ method, path, variant, summary }: Pick<Endpoint, 'method' | 'path' | 'variant' | 'summary'>): string {
  if (summary !== '') return summary
  const steps = path.split('/').filter((step) => step !== '' && !/^v[\d.]+$/.test(step))
  if (steps.length === 0) return path === '//' ? 'List versions' : 'Show the version'
  const isDetail = steps.at(-1) === 'detail'
  if (isDetail) steps.pop()
  const isOne = isVariable(steps.at(-1)!)
  const nouns = steps.filter((step) => !isVariable(step)).map(words)
  const last = nouns.at(-1) ?? ''
  const action = variant ?? (/^(add|remove) /.test(last) ? last : undefined)
  if (action !== undefined) return `${capital(words(action))}: an action on ${a(one(nouns.at(-2) ?? last))}`
  const whose = steps.at(isOne ? -3 : -2) ?? ''
  const owner = nouns.length > 1 ? ` of ${isVariable(whose) ? a(one(nouns.at(-2)!)) : nouns.at(-2)}` : ''
  const what = isOne || method === 'POST' ? a(one(last)) : last
  return `${verb(method, isOne)} ${what}${owner}${isDetail ? ' in detail' : ''}`
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

function verb(method: string, isOne: boolean): string {
  if (method === 'GET') return isOne ? 'Show' : 'List'
  if (method === 'POST') return 'Create'
  if (method === 'DELETE') return isOne ? 'Delete' : 'Delete all'
  return isOne ? 'Change' : 'Replace'
}
