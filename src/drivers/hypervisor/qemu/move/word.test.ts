import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { keyName, openWord, wordBytes } from './word.ts'

const optionReply = (option: number, kind: number) => {
  const reply = Buffer.alloc(20)
  reply.writeBigUInt64BE(0x0003e889045565a9n)
  reply.writeUInt32BE(option, 8)
  reply.writeUInt32BE(kind, 12)
  return reply
}

/** Reads what comes, so many bytes at a time. */
async function take(socket: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(bytes) as Buffer | null
    if (chunk) return chunk
    await once(socket, 'readable')
  }
}

/** The other side of the protocol, for one client and one write. */
async function serve(plain: Socket, key: string, error: number): Promise<Buffer> {
  plain.write(Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), Buffer.from([0, 3])]))
  await take(plain, 4 + 16)
  plain.write(optionReply(5, 1))
  const secure = new TLSSocket(plain, {
    isServer: true,
    ciphers: 'PSK',
    maxVersion: 'TLSv1.2',
    pskCallback: (_: TLSSocket, identity: string) => (identity === keyName ? Buffer.from(key, 'hex') : null),
  } as ConstructorParameters<typeof TLSSocket>[1])
  secure.on('error', () => {})
  const asked = await take(secure, 16 + 10)
  assert.equal(asked.subarray(20, 24).toString(), 'word')
  secure.write(Buffer.concat([optionReply(7, 3), optionReply(7, 1)]))
  const request = await take(secure, 28 + wordBytes)
  const reply = Buffer.alloc(16)
  reply.writeUInt32BE(0x67446698)
  reply.writeUInt32BE(error, 4)
  secure.write(reply)
  return request
}

async function server(t: TestContext, key: string, error = 0): Promise<{ port: number; request: Promise<Buffer> }> {
  const listening = createServer()
  const request = once(listening, 'connection').then(([socket]) => {
    t.after(() => (socket as Socket).destroy())
    return serve(socket as Socket, key, error)
  })
  request.catch(() => {})
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => listening.close())
  return { port: (listening.address() as AddressInfo).port, request }
}

const newKey = () => randomBytes(32).toString('hex')

test('the word is written at the begin of the export, past TLS with the key', async (t) => {
  const key = newKey()
  const { port, request } = await server(t, key)
  const word = await openWord('127.0.0.1', port, key)
  await word.say()
  word.close()
  const said = await request
  assert.equal(said.readUInt32BE(0), 0x25609513)
  assert.deepEqual([said.readUInt16BE(4), said.readUInt16BE(6)], [1, 1], 'to disk, a write')
  assert.deepEqual([said.readBigUInt64BE(16), said.readUInt32BE(24)], [0n, wordBytes])
  assert.equal(said[28], 1)
})

test('a word that was not taken was not said', async (t) => {
  const key = newKey()
  const { port } = await server(t, key, 5)
  const word = await openWord('127.0.0.1', port, key)
  await assert.rejects(word.say(), /not taken/)
  word.close()
})

test('who has another key gets nowhere', async (t) => {
  const { port } = await server(t, newKey())
  await assert.rejects(openWord('127.0.0.1', port, newKey()))
})

test('who is no such server is told apart', async (t) => {
  const listening = createServer((socket) => socket.end('220 mail.example ESMTP ready'))
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => listening.close())
  const { port } = listening.address() as AddressInfo
  await assert.rejects(openWord('127.0.0.1', port, newKey()), /no disk is given there/)
  listening.close()
  await assert.rejects(openWord('127.0.0.1', 1, newKey()), { code: 'ECONNREFUSED' })
})
