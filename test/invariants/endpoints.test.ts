import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outlineCloud } from '../../src/main/outline.ts'
import { kinds, serviceNames } from '../../src/main/services.ts'

const open = async () => {
  const cloud = await outlineCloud()
  const endpoints = serviceNames.flatMap((service) =>
    cloud.services[service].endpoints.map((endpoint) => ({ service, endpoint })),
  )
  return { cloud, endpoints }
}
const title = ({ service, endpoint }: Awaited<ReturnType<typeof open>>['endpoints'][number]) =>
  `${service} ${endpoint.method} ${endpoint.path}${endpoint.variant === undefined ? '' : `#${endpoint.variant}`}`

test('every endpoint names a rule that exists, or says that it is public or for any token', async (t) => {
  const { cloud, endpoints } = await open()
  t.after(() => cloud.close())
  const rules = Object.fromEntries(kinds.map((kind) => [kind.name, new Set(kind.policies.map((rule) => rule.name))]))
  const bad = endpoints.filter(({ service, endpoint: { policy, visible } }) => {
    const known = (rule: string) => rules[service]!.has(rule)
    return !(policy === 'public' || policy === 'token' || known(policy)) || (visible !== undefined && !known(visible))
  })
  assert.deepEqual(bad.map(title), [])
  assert.ok(endpoints.length > 100, `${endpoints.length} endpoints`)
})

test('nothing that changes the cloud is public, except what takes a password instead of a token', async (t) => {
  const { cloud, endpoints } = await open()
  t.after(() => cloud.close())
  const changing = endpoints.filter(({ endpoint }) => endpoint.policy === 'public' && !['GET', 'HEAD'].includes(endpoint.method))
  assert.deepEqual(changing.map(title).sort(), ['identity POST /auth/tokens', 'identity POST /users/{user_id}/password'])
})

test('without a token, and with a bad one, every other endpoint answers 401 whatever is sent', async (t) => {
  const { cloud, endpoints } = await open()
  t.after(() => cloud.close())
  const wrong: string[] = []
  for (const one of endpoints) {
    if (one.endpoint.policy === 'public') continue
    const { dialect } = cloud.services[one.service]
    const path = one.endpoint.path.startsWith('//') ? one.endpoint.path.slice(1) : `${dialect.bases[0]}${one.endpoint.path}`
    const url = path.replace(/\{[^}]+\}/g, '00000000-0000-4000-8000-000000000000')
    for (const headers of [{}, { 'x-auth-token': 'nonsense' }]) {
      const answer = await cloud.apps[one.service].inject({ method: one.endpoint.method as 'GET', url, headers })
      if (answer.statusCode !== 401) wrong.push(`${title(one)}: ${answer.statusCode}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('no two endpoints answer the same request', async (t) => {
  const { cloud, endpoints } = await open()
  t.after(() => cloud.close())
  const clashes = endpoints.filter((one, at) =>
    endpoints.some(
      (other, before) =>
        before < at &&
        title(one) === title(other) &&
        one.endpoint.since <= other.endpoint.until &&
        other.endpoint.since <= one.endpoint.until,
    ),
  )
  assert.deepEqual(clashes.map(title), [])
})
