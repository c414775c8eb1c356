import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Log } from '../log.ts'
import { openPolicy } from '../policy/policy.ts'
import { endpoint } from './endpoint.ts'
import { serve } from './serve.ts'

test('a client that hangs up in the middle of its body is no bug of ours', async (t) => {
  const said: { level: string; message: string }[] = []
  const heard = Promise.withResolvers<void>()
  const at = (level: string) => (_: unknown, message: string) => {
    said.push({ level, message })
    heard.resolve()
  }
  const log: Log = { debug() {}, info: at('info'), warn: at('warn'), error: at('error') }
  const reading = Promise.withResolvers<void>()
  const app = serve({
    name: 'image',
    dialect: { bases: [''], error: ({ status }) => ({ body: { status } }) },
    endpoints: [
      endpoint({
        on: 'PUT /file',
        policy: 'public',
        body: 'stream',
        async handle({ stream }) {
          for await (const _ of stream) reading.resolve()
        },
      }),
    ],
    policy: openPolicy([]),
    authenticate: async () => undefined,
    log,
    identityUrl: () => 'http://identity.test',
  })
  t.after(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect((app.server.address() as { port: number }).port, '127.0.0.1')
  client.write('PUT /file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf')
  await reading.promise
  client.destroy()
  await heard.promise
  assert.deepEqual(said, [{ level: 'info', message: 'the client went away before its body was whole' }])
})
