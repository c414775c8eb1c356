import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Problem } from '../errors.ts'
import { silentLog } from '../log.ts'
import { openLinkClient } from './client.ts'
import { type LinkServerOptions, openLinkServer } from './server.ts'

const open = (more: Partial<LinkServerOptions> = {}) =>
  openLinkServer({
    port: 0,
    bind: '127.0.0.1',
    key: 'k',
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
    ...more,
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

test('over TLS a host joins without a key and then has its own, which opens nothing in the name of another', async (t) => {
  const { certificate, privateKey } = selfSigned()
  const server = await open({
    tls: { certificate, privateKey },
    isHostKey: async (host, key) => key === `key of ${host}`,
    joins: { enter: async (host, token: never) => (token === 'once' ? `key of ${host}` : 'no') },
  })
  const url = `https://127.0.0.1:${server.port}`
  const client = (key: string, host = 'h1', pinned = certificate) =>
    openLinkClient({ url, certificate: pinned, key, host, log: silentLog })
  const clients = [
    client(''),
    client('key of h1'),
    client('key of h1', 'h2'),
    client('k', ''),
    client('k', '', selfSigned().certificate),
  ]
  t.after(async () => {
    for (const one of clients) one.close()
    await server.close()
  })
  const [stranger, host, thief, operator, deceived] = clients as [(typeof clients)[0], ...typeof clients]
  assert.equal(await stranger.join('enter', 'once'), 'key of h1')
  await assert.rejects(stranger.call('double', 1), /another one/)
  assert.deepEqual(await host!.call('double', 4), { host: 'h1', twice: 8 })
  await assert.rejects(thief!.call('double', 1), /another one/)
  assert.deepEqual(await operator!.call('double', 1), { host: '', twice: 2 })
  await assert.rejects(deceived!.call('double', 1), /No controller answers/)
  const connected = Promise.withResolvers<void>()
  host!.listen({ hint: () => {}, ask: async () => 'yes', connected: connected.resolve })
  await connected.promise
  assert.equal(await server.ask('h1', 'there?'), 'yes')
})

/** Made by the program that packstack makes it by. */
function selfSigned(): { certificate: string; privateKey: string } {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-link-'))
  try {
    const made = [join(folder, 'key'), join(folder, 'certificate')] as const
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=x']
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', made[0], '-out', made[1]], { stdio: 'ignore' })
    return { privateKey: readFileSync(made[0], 'utf8'), certificate: readFileSync(made[1], 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
