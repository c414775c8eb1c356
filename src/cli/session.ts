import { type Reply, send, type Trust } from './http.ts'

/** The cloud refused: its words, status and the name of the fault where it gives one. */
export class Refused extends Error {
  readonly status: number
  readonly fault: string

  constructor(status: number, message: string, fault = '') {
    super(message)
    this.name = 'Refused'
    this.status = status
    this.fault = fault
  }
}

/** Who logs in where. Everything is as the OS_ variables of OpenStack's clients give it. */
export type Credentials = {
  authUrl: string
  username: string
  userId: string
  password: string
  token: string
  projectName: string
  projectId: string
  userDomainId: string
  userDomainName: string
  projectDomainId: string
  projectDomainName: string
  region: string
  /** public, internal or admin. */
  interface: string
  timeoutMs: number
  trust: Trust
}

export type Query = Record<string, string | readonly string[] | undefined>

export type Session = {
  projectId: string
  roles: string[]
  /** The path begins after the service's address in the catalog. Throws Refused unless it answers 2xx. An empty body gives undefined. */
  request<T>(service: string, method: string, path: string, ask?: { query?: Query; body?: unknown }): Promise<T>
}

type Catalog = { type: string; endpoints: { interface: string; region: string; region_id?: string; url: string }[] }[]
type Token = { catalog?: Catalog; roles?: { name: string }[]; project?: { id: string } }

/** Logs in with a password or a token by the identity API v3. Throws Refused, or an Error that says what is missing or unreachable. */
export async function openSession(who: Credentials): Promise<Session> {
  const url = `${identityUrl(who.authUrl)}/auth/tokens`
  const reply = await ask(url, 'POST', { auth: { identity: identityOf(who), ...scopeOf(who) } }, {}, who)
  const { token } = JSON.parse(reply.text) as { token: Token }
  return sessionOf(who, token, reply.header('x-subject-token'))
}

function sessionOf(who: Credentials, { catalog = [], roles = [], project }: Token, token: string): Session {
  return {
    projectId: project?.id ?? '',
    roles: roles.map(({ name }) => name),
    async request<T>(
      service: string,
      method: string,
      path: string,
      { query = {}, body }: { query?: Query; body?: unknown } = {},
    ) {
      const url = `${addressOf(catalog, service, who)}${path}${queryText(query)}`
      const { text } = await ask(url, method, body, { 'x-auth-token': token }, who)
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
  }
}

/** The old files of packstack name version 2 of the identity API; everything speaks version 3 now. */
export const identityUrl = (url: string) => `${url.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '')}/v3`

function identityOf(who: Credentials): object {
  if (who.token !== '') return { methods: ['token'], token: { id: who.token } }
  const user =
    who.userId !== '' ? { id: who.userId } : { name: who.username, domain: domain(who.userDomainId, who.userDomainName) }
  return { methods: ['password'], password: { user: { ...user, password: who.password } } }
}

function scopeOf(who: Credentials): object {
  if (who.projectId !== '') return { scope: { project: { id: who.projectId } } }
  if (who.projectName === '') return {}
  return { scope: { project: { name: who.projectName, domain: domain(who.projectDomainId, who.projectDomainName) } } }
}

const domain = (id: string, name: string) => (id !== '' ? { id } : name !== '' ? { name } : { id: 'default' })

function addressOf(catalog: Catalog, service: string, who: Credentials): string {
  const found = catalog
    .filter(({ type }) => type === service)
    .flatMap(({ endpoints }) => endpoints)
    .filter((one) => one.interface === who.interface && (who.region === '' || (one.region_id ?? one.region) === who.region))
  const url = found[0]?.url
  if (url === undefined) {
    const region = who.region === '' ? '' : ` in ${who.region} region`
    throw new Error(`${who.interface} endpoint for ${service} service${region} not found`)
  }
  return url.replace(/\/+$/, '')
}

function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (value === undefined ? [] : typeof value === 'string' ? [value] : value).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`,
    ),
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

async function ask(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
  who: Credentials,
): Promise<Reply> {
  const reply = await send({
    url,
    method,
    headers: { accept: 'application/json', ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    timeoutMs: who.timeoutMs,
    trust: who.trust,
  })
  if (reply.status < 200 || reply.status > 299) throw refusal(reply)
  return reply
}

type Fault = { type?: string; message?: string; detail?: string; code?: number; title?: string }

/** The words of whichever service said no, with the id by which the operator finds the request in the log. */
function refusal({ status, header, text }: Reply): Refused {
  const id = header('x-openstack-request-id')
  const body = parsed(text)
  const network = body['NeutronError'] as Fault | undefined
  const bare = typeof body['message'] === 'string' ? body['message'] : undefined
  if (network || bare !== undefined) {
    const said = network ? [network.message, network.detail].filter((part) => part).join('\n') : bare
    return new Refused(status, id === '' ? `${said}` : `${said}\nNeutron server returns request_ids: ['${id}']`, network?.type)
  }
  const fault = (body['error'] ?? Object.values(body)[0]) as Fault | undefined
  const said = typeof fault === 'object' && fault?.message ? fault.message : text.slice(0, 500)
  return new Refused(status, `${said} (HTTP ${status})${id === '' ? '' : ` (Request-ID: ${id})`}`)
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
