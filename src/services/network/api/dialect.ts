import type { Problem } from '../../../kit/errors.ts'
import { type Dialect, reasonPhrase } from '../../../kit/http/dialect.ts'

/** Errors carry the name of their fault; a quota is a conflict. */
export const networkDialect: Dialect = {
  bases: ['/v2.0'],
  status: { 'over-quota': 409 },
  error({ status, message, problem, accept }) {
    if (problem.code === 'no-route') return plain(status, message, accept)
    const rule = problem.code === 'PolicyNotAuthorized' ? problem.detail['rule'] : undefined
    const text = rule === undefined ? message : `rule:${String(rule)} is disallowed by policy`
    return { body: { NeutronError: { type: typeOf(status, problem), message: text, detail: '' } } }
  },
  invalid: ({ at, message }) => (at === '' ? message : `Invalid input for ${at}. Reason: ${message}.`),
}

/** What lies in front of the API proper answers in the words of its framework. */
const plain = (status: number, message: string, accept: string) =>
  accept.includes('html')
    ? {
        body: `<html><head><title>${status} ${reasonPhrase[status]}</title></head><body>${message}</body></html>`,
        contentType: 'text/html',
      }
    : {
        body: { code: `${status} ${reasonPhrase[status]}`, title: reasonPhrase[status], message: `${message}<br /><br />\n\n\n` },
      }

/** Names of faults begin with a capital; other codes are the kit's own. */
function typeOf(status: number, { code, kind }: Problem): string {
  if (kind === 'over-quota') return 'OverQuota'
  if (code !== undefined && /^[A-Z]/.test(code)) return code
  return `HTTP${(reasonPhrase[status] ?? 'Internal Server Error').replaceAll(' ', '')}`
}
