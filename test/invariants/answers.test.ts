import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceNames } from '../../src/main/services.ts'
import { testCloud } from '../cloud.ts'

const nowhere = '00000000-0000-4000-8000-000000000000'

test('whatever an administrator sends, each error is the service’s own, names its request, and is no bug', async (t) => {
  const { cloud } = await testCloud(t)
  const wrong: string[] = []
  let errors = 0
  for (const service of serviceNames) {
    const { dialect, endpoints } = cloud.services[service]
    const known = endpoints.map(({ method, path }) => ({
      method,
      url: (path.startsWith('//') ? path.slice(1) : `${dialect.bases[0]}${path}`).replace(/\{[^}]+\}/g, nowhere),
    }))
    const odd = ['/nothing/at/all', `${dialect.bases[0]}/%zz`, `${known.at(-1)!.url}${'x'.repeat(2000)}`]
    const asks = [
      ...known.map((one) => ({ ...one, payload: '{"broken' })),
      ...known.map((one) => ({ ...one, method: 'PATCH', payload: '[]' })),
      ...odd.map((url) => ({ method: 'GET', url, payload: '' })),
    ]
    for (const { method, url, payload } of asks) {
      const headers = { 'x-auth-token': 'admin-token', 'content-type': 'application/json' }
      const answer = await cloud.apps[service].inject({ method: method as 'POST', url, headers, payload })
      if (answer.statusCode < 400) continue
      errors++
      const isOurs = /^req-/.test(String(answer.headers['x-openstack-request-id'])) && !answer.body.includes('FST_')
      if (!isOurs || answer.statusCode >= 500) wrong.push(`${method} ${url.slice(0, 80)}: ${answer.statusCode} ${answer.body}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(errors > 500, `${errors} errors`)
})
