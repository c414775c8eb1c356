import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../errors.ts'
import { silentLog } from '../log.ts'
import { openLinkClient } from './client.ts'
import { openLinkServer } from './server.ts'

const open = (key = 'k') =>
  openLinkServer({
    port: 0,
    bind: '127.0.0.1',
    key,
    log: silentLog,
    calls: {
      double: async (host, ask: never) => ({ host, twice: 2 * (ask as number) }),
      refuse: async () => {
        throw new Problem('conflict', 'It is taken.')
      },
      broken: async () => {
        throw new Error('secret detail')
      },
    },
    streams: {
      bytes: async (_, id) =>
        (async function* () {
          for (let n = 0; n < 3; n++) yield Buffer.from(id)
        })(),
    },
  })

test('a host calls, streams, hears hints and answers questions', async (t) => {
  const server = await open()
  const client = openLinkClient({ url: `http://127.0.0.1:${server.port}`, key: 'k', host: 'h1', log: silentLog })
  t.after(async () => {
    client.close()
    await server.close()
  })
  assert.deepEqual(await client.call('double', 21), { host: 'h1', twice: 42 })
  const chunks: Uint8Array[] = []
  for await (const chunk of await client.stream('bytes', 'ab')) chunks.push(chunk)
  assert.equal(Buffer.concat(chunks).toString(), 'ababab')

  const connected = Promise.withResolvers<void>()
  const hinted = Promise.withResolvers<string>()
  client.listen({
    hint: hinted.resolve,
    async ask(question) {
      if (question === 'bad') throw new Problem('invalid', 'That is no question.')
      return { you: question }
    },
    connected: () => connected.resolve(),
  })
  await connected.promise
  assert.deepEqual(await server.ask('h1', 'hello'), { you: 'hello' })
  await assert.rejects(server.ask('h1', 'bad'), /That is no question/)
  await assert.rejects(server.ask('h2', 'hello'), /h2 is not connected/)
  server.hint('h1', 'vm')
  assert.equal(await hinted.promise, 'vm')
})

test('a problem keeps its kind, a bug tells nothing, a wrong key opens nothing', async (t) => {
  const server = await open()
  const client = openLinkClient({ url: `http://127.0.0.1:${server.port}`, key: 'k', host: 'h1', log: silentLog })
  const thief = openLinkClient({ url: `http://127.0.0.1:${server.port}`, key: 'x', host: 'h1', log: silentLog })
  t.after(async () => {
    client.close()
    await server.close()
  })
  await assert.rejects(client.call('refuse'), (error: Problem) => error.kind === 'conflict' && error.message === 'It is taken.')
  await assert.rejects(client.call('broken'), (error: Problem) => error.kind === 'internal' && !error.message.includes('secret'))
  await assert.rejects(thief.call('double', 1), /another one/)
})
