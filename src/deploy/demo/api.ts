/** A session with a cloud's public API, of one user in one project. */
export type Api = {
  get<T>(service: Service, path: string): Promise<T>
  post<T>(service: Service, path: string, body: unknown): Promise<T>
  put<T>(service: Service, path: string, body: unknown): Promise<T>
  delete(service: Service, path: string): Promise<void>
  /** Whether the path answers 2xx; throws unless it does or is 404. */
  has(service: Service, path: string): Promise<boolean>
  upload(service: Service, path: string, bytes: Blob): Promise<void>
}

export type Service = 'identity' | 'image' | 'compute' | 'network'

export type Login = { url: string; user: string; password: string; project: string }

/** Answers with a status other than 2xx: method, path, status, and the service's own words. */
export class ApiRefused extends Error {
  readonly status: number

  constructor(method: string, url: string, status: number, text: string) {
    super(`${method} ${url} answered ${status}: ${text.slice(0, 500)}`)
    this.name = 'ApiRefused'
    this.status = status
  }
}

type Token = { token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] } }

const timeoutMs = 60_000

/** Logs in with a password; throws ApiRefused when it is wrong. */
export async function openApi({ url, user, password, project }: Login): Promise<Api> {
  const Default = { domain: { name: 'Default' } }
  const identity = { methods: ['password'], password: { user: { name: user, password, ...Default } } }
  const answer = await fetch(`${url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope: { project: { name: project, ...Default } } } }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (!answer.ok) throw new ApiRefused('POST', `${url}/auth/tokens`, answer.status, await answer.text())
  const { catalog } = ((await answer.json()) as Token).token
  const token = answer.headers.get('x-subject-token') ?? ''

  const ask = async (method: string, service: Service, path: string, body?: unknown): Promise<Response> => {
    const target = `${baseOf(catalog, service)}${path}`
    const isBytes = body instanceof Blob
    const type = isBytes ? 'application/octet-stream' : 'application/json'
    const headers = { 'x-auth-token': token, ...(body !== undefined && { 'content-type': type }) }
    const reply = await fetch(target, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
    })
    if (!reply.ok) throw new ApiRefused(method, target, reply.status, await reply.text())
    return reply
  }
  const json = async <T>(reply: Promise<Response>): Promise<T> => (await (await reply).json().catch(() => ({}))) as T
  return {
    get: (service, path) => json(ask('GET', service, path)),
    post: (service, path, body) => json(ask('POST', service, path, body)),
    put: (service, path, body) => json(ask('PUT', service, path, body)),
    delete: async (service, path) => void (await ask('DELETE', service, path)),
    has: (service, path) =>
      ask('GET', service, path).then(
        () => true,
        (error) => {
          if (error instanceof ApiRefused && error.status === 404) return false
          throw error
        },
      ),
    upload: async (service, path, bytes) => void (await ask('PUT', service, path, bytes)),
  }
}

/** The catalog's public address, with the version path where the catalog leaves it out. */
function baseOf(catalog: Token['token']['catalog'], service: Service): string {
  const url = catalog.find(({ type }) => type === service)?.endpoints.find((one) => one.interface === 'public')?.url
  if (url === undefined) throw new Error(`the catalog has no ${service} service`)
  const suffix = { identity: '', compute: '', image: '/v2', network: '/v2.0' }[service]
  return url.endsWith(suffix) ? url : `${url.replace(/\/$/, '')}${suffix}`
}
