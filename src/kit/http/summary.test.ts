import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoint } from './endpoint.ts'
import { summaryOf } from './summary.ts'

test('an endpoint without words of its own is described by its method and path', () => {
  const said = (on: string, summary = '') => summaryOf(endpoint({ on, policy: 'token', summary, handle: async () => undefined }))
  const expected: Record<string, string> = {
    'GET /flavors': 'List flavors',
    'GET /servers/detail': 'List servers in detail',
    'GET /os-agents/{id}': 'Show an agent',
    'POST /os-keypairs': 'Create a keypair',
    'PUT /servers/{server_id}/tags': 'Replace tags of a server',
    'DELETE /servers/{server_id}/tags/{tag}': 'Delete a tag of a server',
    'PATCH /security-policies/{id}': 'Change a security policy',
    'POST /servers/{server_id}/action#os-getConsoleOutput': 'Get console output: an action on a server',
    'GET /os-hypervisors/statistics': 'List statistics of hypervisors',
    'PUT /routers/{id}/add_extraroutes': 'Add extraroutes: an action on a router',
    'GET //': 'List versions',
    'GET //v2.1/': 'Show the version',
  }
  for (const [on, text] of Object.entries(expected)) assert.equal(said(on), text)
  assert.equal(said('GET /flavors', 'All flavors'), 'All flavors')
})
