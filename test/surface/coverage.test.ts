import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from '../../src/kit/http/endpoint.ts'
import { answered, askedRules, isCore, isDone, parsePolicies, parseSurface, ruleLeft } from './coverage.ts'

const row = (method: string, path: string, flag = '') =>
  parseSurface(`head\ncompute\tg\t${method}\t${path}\top\t\t\t200\t${flag}`)[0]!
const handle = async () => undefined

test('a row is done when an endpoint answers its method, path and action, whatever the parameters are called', () => {
  const known = answered(
    [
      endpoint({ on: 'GET /servers/{server_id}', policy: 'token', handle }),
      endpoint({ on: 'POST /servers/{id}/action#os-start', policy: 'token', handle }),
      endpoint({ on: 'GET //versions', policy: 'public', handle }),
    ],
    ['/v2.1'],
  )
  assert.ok(isDone(row('GET', '/servers/{server_uuid}'), known))
  assert.ok(isDone(row('GET', '/v2.1/servers/{server_uuid}'), known))
  assert.ok(isDone(row('GET', '/versions'), known))
  assert.ok(isDone(row('POST', '/servers/{x}/action#os-start'), known))
  assert.ok(!isDone(row('POST', '/servers/{x}/action#os-stop'), known))
  assert.ok(!isDone(row('DELETE', '/servers/{x}'), known))
})

test('rows that always fail or belong to others are not counted', () => {
  assert.ok(isCore(row('GET', '/servers', 'undocumented')))
  assert.ok(!isCore(row('GET', '/os-cells', 'removed-410')))
  assert.ok(!isCore(row('GET', '/servers', 'proxy;until-2.35')))
})

test('rules that are asked in a handler count, and what is left out has a reason', () => {
  const one = endpoint({ on: 'GET /a', policy: 'p', visible: 'v', alsoAsks: ['q'], handle })
  assert.deepEqual([...askedRules([one])], ['p', 'v', 'q'])
  const [fact] = parsePolicies(
    'head\nkeystone\tidentity:get_mapping\t(empty: any)\t\t\t\tGET /v3/OS-FEDERATION/mappings/{id}\t\t',
  )
  assert.equal(fact!.check, '')
  assert.match(ruleLeft(fact!) ?? '', /federation/)
  assert.equal(ruleLeft({ ...fact!, operations: 'GET /v3/users' }), undefined)
})
