type Where = { origin: string; params: Record<string, string> }

const base = ({ origin, params }: Where, prefix: string) =>
  `${origin}${prefix}${params['own_project'] === undefined ? '' : `/${params['own_project']}`}`

/** `self` with the version, `bookmark` without: as the client addressed us. */
export const links = (where: Where, collection: string, id: string) => [
  { rel: 'self', href: `${base(where, '/v2.1')}/${collection}/${id}` },
  { rel: 'bookmark', href: `${base(where, '')}/${collection}/${id}` },
]

export const bookmark = (where: Where, collection: string, id: string) => [
  { rel: 'bookmark', href: `${base(where, '')}/${collection}/${id}` },
]

/** Address of the page after this one: the same question with another marker. */
export function nextLink(where: Where & { url: string }, path: string, marker: string) {
  const query = new URLSearchParams(where.url.split('?')[1] ?? '')
  query.set('marker', marker)
  return [{ rel: 'next', href: `${base(where, '/v2.1')}${path}?${query}` }]
}
