import assert from 'node:assert/strict'
import type { SimHost } from '../hosts/hosts.ts'

export type Service = 'compute' | 'image' | 'network'

/** The cloud's public API, asked by curl on a host: from this machine nothing leads there. */
export type Ask = <T = unknown>(method: string, service: Service, path: string, body?: unknown) => Promise<T>

const ports = { identity: 5000, image: 9292, compute: 8774, network: 9696 }
const bases = { image: '/v2', compute: '/v2.1', network: '/v2.0' }
/** Of compute: the newest that any release of the clients asks for by itself. */
const microversion = '2.90'

/** As the administrator. Throws when an answer is none of success. */
export async function openApi(host: SimHost): Promise<Ask> {
  const password = /OS_PASSWORD='(.*)'/.exec(await host.sh('cat /root/keystonerc_admin'))?.[1]
  const Default = { domain: { name: 'Default' } }
  const identity = { methods: ['password'], password: { user: { name: 'admin', password, ...Default } } }
  const url = (service: keyof typeof ports, path: string) => `http://${host.address}:${ports[service]}${path}`
  const { head } = await curl(host, 'POST', url('identity', '/v3/auth/tokens'), [], {
    auth: { identity, scope: { project: { name: 'admin', ...Default } } },
  })
  const token = /^x-subject-token: (\S+)/im.exec(head)?.[1]
  assert.ok(token, head)
  return async <T>(method: string, service: Service, path: string, body?: unknown) => {
    const headers = [`x-auth-token: ${token}`, `openstack-api-version: compute ${microversion}`]
    const { status, text } = await curl(host, method, url(service, bases[service] + path), headers, body)
    assert.ok(status >= 200 && status < 300, `${method} ${service} ${path}: ${status} ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

async function curl(host: SimHost, method: string, url: string, headers: readonly string[], body?: unknown) {
  const all = [...headers, 'content-type: application/json'].flatMap((header) => ['-H', header])
  const data = body === undefined ? [] : ['--data', JSON.stringify(body)]
  const { stdout, stderr, code } = await host.run(
    'curl',
    '-s',
    '-S',
    '-i',
    '--max-time',
    '60',
    '-X',
    method,
    ...all,
    ...data,
    url,
  )
  assert.equal(code, 0, stderr)
  const end = stdout.indexOf('\r\n\r\n')
  const head = stdout.slice(0, end)
  return { head, status: Number(/^HTTP\/\S+ (\d+)/.exec(head)?.[1]), text: stdout.slice(end + 4) }
}
