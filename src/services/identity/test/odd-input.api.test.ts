import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '../../../kit/http/endpoint.ts'
import { identityCloud } from './signing-in.ts'

const oddBodies: unknown[] = [undefined, null, [], 'text', 5, true, {}, { a: { b: [] } }]
const oddValues: unknown[] = [
  null,
  '',
  ' ',
  0,
  -1,
  true,
  [],
  {},
  [null],
  'a\u0000b',
  '\ud800',
  'x'.repeat(5000),
  '%00',
  "'; drop table identity_user; --",
  { __proto__: null, constructor: 'x' },
]
/** One of each sort that a database or a schema stumbles over. */
const fieldValues = [null, '', 0, true, [], {}, [null], 'a\u0000b', '\ud800', 'x'.repeat(5000)]
const oddIds = ['x', '%00', '%27%22', '..%2f..', 'a'.repeat(900), '%F0%9F%92%A9', '-']
const oddQueries = [
  'limit=-1',
  'limit=x',
  'limit=0',
  'limit=1&marker=nothing',
  'marker=%00',
  'sort_key=zz',
  'sort_key=name&sort_dir=up',
  'name=%00',
  'name=a&name=b',
  'enabled=maybe',
  'domain_id=',
  'tags=,,&not-tags=%00',
  'password_expires_at=lt:',
  'effective&include_names&scope.system=x',
  'user.id=%00&effective',
  'allow_expired=x',
]

type Shape = { properties?: Record<string, Shape>; items?: Shape; anyOf?: Shape[] }

/** Names of the fields of a schema, whether it is of one thing or of a list of them. */
const fieldsOf = (shape: Shape | undefined): string[] => {
  const inner = shape?.items ?? shape?.anyOf?.[0] ?? shape
  return inner === shape ? Object.keys(shape?.properties ?? {}) : fieldsOf(inner)
}

const plain: Record<string, unknown> = { name: 'n', type: 't', url: 'http://x', interface: 'public', service_id: 'x', blob: '{}' }

/** Bodies with the resource's key, each of its fields odd in its turn. */
const bodiesFor = ({ body }: Endpoint): unknown[] => {
  const shape = body as Shape
  const [noun = 'x'] = Object.keys(shape.properties ?? {})
  const isList = shape.properties?.[noun]?.items !== undefined
  const wrap = (value: object) => ({ [noun]: isList ? [value] : value })
  const values = (field: string) => (field in plain ? oddValues : fieldValues)
  return [
    ...oddBodies,
    ...oddValues.map((value) => ({ [noun]: value })),
    ...[...fieldsOf(shape.properties?.[noun]), 'extra'].flatMap((field) =>
      values(field).map((value) => wrap({ ...plain, name: `n-${field}`, [field]: value })),
    ),
  ]
}

test('no endpoint breaks on odd bodies, ids or queries', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.admin
  const broken = new Set<string>()
  const see = (what: string, answer: { status: number; body: unknown }) => {
    if (answer.status >= 500) broken.add(`${what}: ${answer.status}`)
  }
  for (const endpoint of cloud.cloud.services.identity.endpoints) {
    if (endpoint.path.startsWith('//')) continue
    const method = endpoint.method.toLowerCase() as 'get' | 'post'
    const at = (id: string) => endpoint.path.replace(/\{[^}]+\}/g, id)
    const ids = endpoint.path.includes('{') ? oddIds : ['x']
    for (const id of ids) see(`${endpoint.method} ${at(id).slice(0, 80)}`, await identity[method](at(id)))
    if (method === 'get')
      for (const query of oddQueries) see(`GET ${endpoint.path}?${query}`, await identity.get(`${at('default')}?${query}`))
    if (endpoint.body === 'none') continue
    for (const body of bodiesFor(endpoint))
      see(
        `${endpoint.method} ${endpoint.path} ${JSON.stringify(body)?.slice(0, 120)}`,
        await identity[method](at('default'), body as never),
      )
  }
  assert.deepEqual([...broken], [])
})

test('no login breaks on odd values', async (t) => {
  const cloud = await identityCloud(t)
  const { identity } = cloud.withToken(undefined)
  for (const value of oddValues)
    for (const auth of [
      value,
      { identity: value },
      { identity: { methods: value } },
      { identity: { methods: ['password'], password: value } },
      { identity: { methods: ['password'], password: { user: { id: value, password: 'x' } } } },
      { identity: { methods: ['password'], password: { user: { name: value, domain: { name: value }, password: value } } } },
      { identity: { methods: ['token'], token: { id: value } } },
      {
        identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: 'secret' } } },
        scope: value,
      },
      {
        identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: 'secret' } } },
        scope: { project: { name: value, domain: { id: value } } },
      },
    ]) {
      const { status, body } = await identity.post('/auth/tokens', { auth })
      assert.ok(status < 500, `${JSON.stringify(auth)?.slice(0, 200)}: ${JSON.stringify(body)}`)
    }
  for (const token of ['\u00e9', 'gAAAAA', 'a'.repeat(7000), '%00']) {
    assert.equal((await cloud.withToken(token).identity.get('/users')).status, 401)
    const looked = await cloud.admin.identity.get('/auth/tokens', { headers: { 'x-subject-token': token } })
    assert.equal(looked.status, 404)
  }
})
