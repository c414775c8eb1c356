import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testCloud } from '../../../../test/cloud.ts'

const byPassword = (password: string, scope?: unknown) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password } } },
    ...(scope === undefined ? {} : { scope }),
  },
})

test('a password gives a token with roles and a catalog, and the token is valid', async (t) => {
  const { withToken } = await testCloud(t, { identity: true, hosts: [] })
  const scope = { project: { name: 'admin', domain: { name: 'Default' } } }
  const made = await withToken(undefined).identity.post('/auth/tokens', byPassword('secret', scope))
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const token = made.headers['x-subject-token']!
  assert.deepEqual(made.body.token.roles.map((role: { name: string }) => role.name).sort(), [
    'admin',
    'manager',
    'member',
    'reader',
  ])
  assert.equal(made.body.token.catalog.find((one: { type: string }) => one.type === 'compute').endpoints.length, 3)
  const client = withToken(token)
  const shown = await client.identity.get('/auth/tokens', { headers: { 'x-subject-token': token } })
  assert.equal(shown.status, 200)
  assert.deepEqual(shown.body, made.body)
  assert.equal((await client.identity.head('/auth/tokens', { headers: { 'x-subject-token': token } })).status, 200)
  assert.equal((await client.identity.delete('/auth/tokens', { headers: { 'x-subject-token': token } })).status, 204)
  assert.equal((await client.identity.get('/auth/tokens', { headers: { 'x-subject-token': token } })).status, 401)
})
