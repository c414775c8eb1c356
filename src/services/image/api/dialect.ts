import type { Problem } from '../../../kit/errors.ts'
import { type Dialect, type Failure, reasonPhrase } from '../../../kit/http/dialect.ts'

const codes: Record<string, number> = {
  'bad-format': 415,
  'media-type': 415,
  'no-method': 405,
  gone: 410,
  range: 416,
  'storage-full': 413,
}

export const dialect: Dialect = {
  bases: ['/v2'],
  isSlashStrict: true,
  status: { 'over-quota': 413 },
  statusOf: (problem: Problem) => (problem.code === undefined ? undefined : codes[problem.code]),
  error: page,
}

/** Glance answers errors as WebOb does: HTML unless the client asks for JSON, plain text when it wants neither. */
function page({ status, message, accept }: Failure): { body: unknown; contentType?: string } {
  const title = reasonPhrase[status] ?? ''
  if (/text\/html|application\/xhtml/.test(accept) || accept === '' || accept.includes('*/*')) {
    const html = `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${htmlText(message)}<br /><br />\n\n\n\n </body>\n</html>`
    return { body: html, contentType: 'text/html; charset=UTF-8' }
  }
  if (accept.includes('json'))
    return { body: { message: `${htmlText(message)}<br /><br />\n\n\n`, code: `${status} ${title}`, title } }
  return { body: `${status} ${title}\n\n${message}\n\n   `, contentType: 'text/plain; charset=UTF-8' }
}

const htmlText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#x27;')
