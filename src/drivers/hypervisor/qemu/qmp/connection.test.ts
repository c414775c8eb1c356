import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectQmp, QmpError } from './connection.ts'

type Asked = { execute: string; id: number; arguments?: Record<string, unknown> }

/** A monitor that answers as it is told. */
async function monitor(t: TestContext, answer: (asked: Asked, socket: Socket) => unknown): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'qmp-'))
  const path = join(dir, 's')
  const server = createServer((socket) => {
    socket.write('{"QMP": {"version": {}, "capabilities": []}}\r\n')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().trim().split('\n')) {
        const asked = JSON.parse(line) as Asked
        const said = asked.execute === 'qmp_capabilities' ? { return: {}, id: asked.id } : answer(asked, socket)
        if (said) socket.write(`${JSON.stringify(said)}\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(async () => {
    server.close()
    await rm(dir, { recursive: true })
  })
  return path
}

test('answers find their questions in whatever order they come', async (t) => {
  const held: Asked[] = []
  const path = await monitor(t, (asked, socket) => {
    held.push(asked)
    if (held.length < 2) return
    for (const { id, execute } of held.reverse()) socket.write(`${JSON.stringify({ return: execute, id })}\r\n`)
  })
  const qmp = await connectQmp({ path })
  t.after(() => qmp.close())
  assert.deepEqual(await Promise.all([qmp.execute('one'), qmp.execute('two')]), ['one', 'two'])
})

test('a refusal carries the class and the words of QEMU', async (t) => {
  const path = await monitor(t, ({ id }) => ({ id, error: { class: 'GenericError', desc: 'no such node' } }))
  const qmp = await connectQmp({ path })
  t.after(() => qmp.close())
  await assert.rejects(qmp.execute('blockdev-del'), (error) => error instanceof QmpError && /no such node/.test(error.message))
})

test('events are told, and so is the end', async (t) => {
  const heard: string[] = []
  let over: (() => void) | undefined
  const ended = new Promise<void>((resolve) => {
    over = resolve
  })
  const path = await monitor(t, (_, socket) => void socket.end('{"event":"SHUTDOWN","data":{"guest":true}}\r\n'))
  const qmp = await connectQmp({ path, heard: ({ event }) => heard.push(event), ended: () => over?.() })
  await assert.rejects(qmp.execute('system_powerdown'), /connection ended/)
  await ended
  assert.deepEqual(heard, ['SHUTDOWN'])
  assert.ok(qmp.closed)
  await assert.rejects(qmp.execute('stop'), /connection ended/)
})

test('silence is an error in time', async (t) => {
  const path = await monitor(t, () => undefined)
  const qmp = await connectQmp({ path })
  t.after(() => qmp.close())
  await assert.rejects(qmp.execute('query-status', undefined, 5), /no answer to query-status/)
})

test('nobody listening is an error', async () => {
  await assert.rejects(connectQmp({ path: '/nonexistent/qmp' }), { code: 'ENOENT' })
})
