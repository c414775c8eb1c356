import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { connectOvsdb, type Json } from './connection.ts'
import { many, map, optional, record } from './database.ts'
import { jsonSplitter } from './framing.ts'

test('values come out whole, however the stream was cut', () => {
  const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (values, size) => {
      const stream = values.map((one) => JSON.stringify(one)).join('')
      const split = jsonSplitter()
      const whole: string[] = []
      for (let at = 0; at < stream.length; at += size) whole.push(...split(stream.slice(at, at + size)))
      assert.deepEqual(
        whole,
        values.map((one) => JSON.stringify(one)),
      )
    }),
  )
})

test('sets and maps of OVSDB become what JavaScript has', () => {
  assert.equal(optional(['set', []]), undefined)
  assert.equal(optional(5), 5)
  assert.deepEqual(many(['set', [1, 2]]), [1, 2])
  assert.deepEqual(many(['uuid', 'x']), [['uuid', 'x']])
  assert.deepEqual(record(map({ a: 'b' })), { a: 'b' })
})

/** A server that answers as told. */
async function server(t: TestContext, receive: (message: { id: Json; method: string }, socket: Socket) => void) {
  const dir = await mkdtemp(join(tmpdir(), 'ovsdb-'))
  const path = join(dir, 'db.sock')
  const sockets: Socket[] = []
  const listening = createServer((socket) => {
    sockets.push(socket)
    const split = jsonSplitter()
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      for (const text of split(chunk)) receive(JSON.parse(text), socket)
    })
  }).listen(path)
  await new Promise((resolve) => listening.once('listening', resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    listening.close()
    await rm(dir, { recursive: true })
  })
  return { path, sockets }
}

test('answers find their questions, errors are thrown, echoes are answered', async (t) => {
  const echoed = Promise.withResolvers<Json>()
  const { path } = await server(t, ({ id, method }, socket) => {
    if (method === 'bad') socket.write(JSON.stringify({ id, result: null, error: 'no such thing' }))
    else if (method === 'good')
      socket.write(
        `${JSON.stringify({ id: 'echo', method: 'echo', params: [] })}${JSON.stringify({ id, result: [1], error: null })}`,
      )
    else echoed.resolve(id)
  })
  const connection = await connectOvsdb({ path, notified() {}, ended() {} })
  t.after(() => connection.close())
  const [good, bad] = await Promise.allSettled([connection.request('good', []), connection.request('bad', [])])
  assert.deepEqual(good, { status: 'fulfilled', value: [1] })
  assert.match(String((bad as PromiseRejectedResult).reason), /no such thing/)
  assert.equal(await echoed.promise, 'echo')
})

test('whoever waits is told when the server goes', async (t) => {
  const ended = Promise.withResolvers<void>()
  const { path, sockets } = await server(t, () => sockets[0]?.destroy())
  const connection = await connectOvsdb({ path, notified() {}, ended: ended.resolve })
  await assert.rejects(connection.request('anything', []), /ended/)
  await ended.promise
  assert.ok(connection.closed)
})
