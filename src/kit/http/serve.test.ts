import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { silentLog } from '../log.ts'
import type { Caller } from '../policy/caller.ts'
import { openPolicy } from '../policy/policy.ts'
import { endpoint } from './endpoint.ts'
import { serve } from './serve.ts'

const caller = (projectId: string): Caller => ({
  userId: 'u1',
  userName: 'ann',
  userDomainId: 'default',
  projectId,
  projectName: 'demo',
  projectDomainId: 'default',
  domainId: undefined,
  system: false,
  roles: ['member'],
  methods: ['password'],
  delegation: undefined,
  auditIds: [],
  expiresAt: 0,
})
const mine = '0123456789abcdef0123456789abcdef'

const app = () =>
  serve({
    name: 'compute',
    dialect: {
      bases: ['/v2.1', '/v2.1/{own_project}'],
      versions: { type: 'compute', major: 2, min: 1, max: 60, legacyHeader: 'X-OpenStack-Nova-API-Version' },
      error: ({ status, message }) => ({ body: { fault: { code: status, message } } }),
    },
    endpoints: [
      endpoint({
        on: 'POST /things',
        policy: 'things:create',
        status: 202,
        body: Type.Object({ thing: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: false }) }),
        handle: async ({ body, version }) => ({ name: body.thing.name, version }),
      }),
      endpoint({
        on: 'GET /things/{id}',
        policy: 'things:show',
        visible: 'things:show',
        subject: async ({ params }) => (params['id'] === 'theirs' ? { projectId: 'other' } : undefined),
        handle: async ({ subject }) => subject,
      }),
      endpoint({
        on: 'POST /things/{id}/action#go',
        policy: 'things:create',
        body: Type.Object({ go: Type.Null() }),
        status: 202,
        handle: async () => undefined,
      }),
      endpoint({
        on: 'POST /things/{id}/action#new',
        policy: 'things:create',
        since: '2.50',
        body: Type.Object({ new: Type.Null() }),
        handle: async () => ({}),
      }),
    ],
    policy: openPolicy([
      { name: 'things:create', check: 'role:member' },
      { name: 'things:show', check: 'project_id:%(project_id)s' },
    ]),
    authenticate: async (token) => (token === 'good' ? caller(mine) : undefined),
    log: silentLog,
    identityUrl: () => 'http://identity',
  })

const ask = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object, headers: Record<string, string> = {}) =>
  app().inject({ method, url, ...(payload ? { payload } : {}), headers: { 'x-auth-token': 'good', ...headers } })

test('no token or a bad one is 401 with the address of identity', async () => {
  const answer = await ask('GET', '/v2.1/things/x', undefined, { 'x-auth-token': 'bad' })
  assert.equal(answer.statusCode, 401)
  assert.equal(answer.headers['www-authenticate'], 'Keystone uri="http://identity"')
  assert.equal(answer.json().error.title, 'Unauthorized')
})

test('the version asked for is negotiated and said', async () => {
  const answer = await ask('POST', '/v2.1/things', { thing: { name: 'a' } }, { 'openstack-api-version': 'compute 2.12' })
  assert.equal(answer.statusCode, 202)
  assert.deepEqual(answer.json(), { name: 'a', version: 12 })
  assert.equal(answer.headers['openstack-api-version'], 'compute 2.12')
  assert.match(String(answer.headers['x-openstack-request-id']), /^req-/)
  assert.equal(
    (await ask('POST', '/v2.1/things', { thing: { name: 'a' } }, { 'openstack-api-version': 'compute 2.99' })).statusCode,
    406,
  )
  assert.equal(
    (await ask('POST', '/v2.1/things', { thing: { name: 'a' } }, { 'openstack-api-version': 'compute two' })).statusCode,
    400,
  )
  assert.equal(
    (await ask('POST', '/v2.1/things', { thing: { name: 'a' } }, { 'x-openstack-nova-api-version': 'latest' })).json().version,
    60,
  )
})

test('a body that does not fit is 400 and names what is wrong', async () => {
  const answer = await ask('POST', '/v2.1/things', { thing: { name: 'a', size: 1 } })
  assert.equal(answer.statusCode, 400)
  assert.match(answer.json().fault.message, /'size' was unexpected/)
})

test('what belongs to somebody else is not there', async () => {
  assert.equal((await ask('GET', '/v2.1/things/theirs')).statusCode, 404)
  assert.equal((await ask('GET', '/v2.1/things/none')).statusCode, 404)
})

test('an action is chosen by the key of its body, within its versions', async () => {
  assert.equal((await ask('POST', '/v2.1/things/x/action', { go: null })).statusCode, 202)
  assert.equal((await ask('POST', '/v2.1/things/x/action', { fly: null })).statusCode, 400)
  assert.equal((await ask('POST', '/v2.1/things/x/action', { new: null })).statusCode, 400)
  assert.equal(
    (await ask('POST', '/v2.1/things/x/action', { new: null }, { 'openstack-api-version': 'compute 2.50' })).statusCode,
    200,
  )
})

test('the project in the URL must be the token’s own', async () => {
  assert.equal((await ask('POST', `/v2.1/${mine}/things`, { thing: { name: 'a' } })).statusCode, 202)
  assert.equal((await ask('POST', `/v2.1/${mine.replace('0', 'f')}/things`, { thing: { name: 'a' } })).statusCode, 400)
})

test('a known path with another method is 405 and says which it knows', async () => {
  const answer = await ask('PUT', '/v2.1/things', {})
  assert.equal(answer.statusCode, 405)
  assert.equal(answer.headers['allow'], 'POST')
  assert.equal((await ask('GET', '/v2.1/nothing')).statusCode, 404)
})

test('a NUL or half a character is refused wherever it stands; an escaped backslash is none', async () => {
  const post = (text: string) =>
    app().inject({
      method: 'POST',
      url: '/v2.1/things',
      headers: { 'x-auth-token': 'good', 'content-type': 'application/json' },
      payload: `{"thing":{"name":"${text}"}}`,
    })
  for (const text of ['a\\u0000b', '\\ud800', '\\udc00x', '\\ud800\\ud800'])
    assert.equal((await post(text)).statusCode, 400, text)
  for (const text of ['a\\\\u0000b', '\\ud83d\\ude00', '\\u0001']) assert.equal((await post(text)).statusCode, 202, text)
  assert.equal((await ask('GET', '/v2.1/things/a%00b')).statusCode, 400)
  assert.equal((await ask('GET', '/v2.1/things/theirs?name=%00')).statusCode, 400)
})

test('what the router cannot read is not there, and is refused as everything else is', async () => {
  for (const url of ['/v2.1/things/%zz', `/v2.1/things/${'x'.repeat(2000)}`]) {
    const answer = await ask('GET', url)
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.json().fault.code, 404)
    assert.match(String(answer.headers['x-openstack-request-id']), /^req-/)
  }
})
