import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, readlink, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { passing } from './passing.ts'

const size = (5 << 20) + 12_345

async function world(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'passing-'))
  const bytes = randomBytes(size)
  const path = join(folder, 'file')
  await writeFile(path, bytes)
  const server = createServer(async (ask, answer) => {
    const [start = 0, end = size - 1] = ask.url!.slice(1).split('-').filter(Boolean).map(Number)
    answer.writeHead(200, { 'content-length': end - start + 1 })
    passing(await open(path), { start, end })
      .on('error', () => answer.destroy())
      .pipe(answer)
    answer.on('close', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })
  const { port } = server.address() as AddressInfo
  return { folder, path, bytes, port }
}

const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('what a slow reader gets is what the file holds, though pages are used again', async (t) => {
  const { port, bytes } = await world(t)
  const answer = await new Promise<IncomingMessage>((resolve) => get({ port, path: '/', agent: false }, resolve))
  const chunks: Buffer[] = []
  for await (const chunk of answer) {
    chunks.push(chunk)
    if (chunks.length % 4 === 0) await new Promise(setImmediate)
  }
  assert.equal(sumOf(Buffer.concat(chunks)), sumOf(bytes))
})

test('answers that wait for one before them on the same connection are whole too', async (t) => {
  const { port, bytes } = await world(t)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /100-4000000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const all = Buffer.concat(chunks)
  const first = all.indexOf('\r\n\r\n') + 4
  const second = all.indexOf('\r\n\r\n', first + size) + 4
  assert.equal(sumOf(all.subarray(first, first + size)), sumOf(bytes))
  assert.equal(sumOf(all.subarray(second)), sumOf(bytes.subarray(100, 4_000_001)))
})

test('a file that got shorter breaks off, and every file is closed', async (t) => {
  const { port, path, folder } = await world(t)
  await truncate(path, 1 << 20)
  await assert.rejects(async () => {
    const answer = await new Promise<IncomingMessage>((resolve) => get({ port, path: '/', agent: false }, resolve))
    for await (const _ of answer);
  }, /aborted/)
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  assert.deepEqual(
    links.filter((link) => link.startsWith(folder)),
    [],
  )
})

test('an empty range is an empty stream', async (t) => {
  const { path } = await world(t)
  let seen = 0
  for await (const chunk of passing(await open(path), { start: 5, end: 4 })) seen += (chunk as Buffer).length
  assert.equal(seen, 0)
})
