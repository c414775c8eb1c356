import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from '../src/kit/http/endpoint.ts'
import { watchAsks } from './asks.ts'

test('a handler may ask the API rules its endpoint names, and any part of rules, but no other API rule', () => {
  const { note } = watchAsks()
  const handle = async () => undefined
  const one = endpoint({ on: 'GET /tasks', policy: 'tasks_api_access', alsoAsks: ['get_tasks'], handle })
  for (const rule of ['tasks_api_access', 'get_tasks', 'context_is_admin']) note('image', one, rule)
  assert.throws(() => note('image', one, 'get_task'), /image GET \/tasks asks get_task, which is not in its alsoAsks/)
})
