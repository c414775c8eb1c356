import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permitsRequest } from './access-rules.ts'

const rule = (path: string, method = 'GET') => ({ service: 'compute', method, path })
const asked = (path: string, method = 'GET', service = 'compute') => ({ service, method, path })

test('a rule is about one service, one method and one path', () => {
  assert.ok(permitsRequest([rule('/v2.1/servers')], asked('/v2.1/servers')))
  assert.ok(!permitsRequest([rule('/v2.1/servers')], asked('/v2.1/servers', 'POST')))
  assert.ok(!permitsRequest([rule('/v2.1/servers')], asked('/v2.1/servers', 'GET', 'image')))
  assert.ok(!permitsRequest([rule('/v2.1/servers')], asked('/v2.1/servers/1')))
  assert.ok(!permitsRequest([], asked('/v2.1/servers')))
})

test('a star or a name in braces is one step, two stars are any number; all else means itself', () => {
  for (const path of ['/v2.1/servers/*', '/v2.1/servers/{id}']) {
    assert.ok(permitsRequest([rule(path)], asked('/v2.1/servers/1')))
    assert.ok(!permitsRequest([rule(path)], asked('/v2.1/servers/1/ips')))
    assert.ok(!permitsRequest([rule(path)], asked('/v2.1/servers/')))
  }
  assert.ok(permitsRequest([rule('/v2.1/servers/**')], asked('/v2.1/servers/1/ips/a')))
  assert.ok(!permitsRequest([rule('/v2.1/servers')], asked('/v2x1/servers')))
  assert.ok(!permitsRequest([rule('/v2.1/(a|b)')], asked('/v2.1/a')))
})

test('a rule made to be slow is not', () => {
  const slow = rule(`/${'**a'.repeat(70)}b`)
  const started = performance.now()
  assert.ok(!permitsRequest([slow], asked(`/${'a'.repeat(4000)}`)))
  assert.ok(performance.now() - started < 1000)
})
