import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import * as ldapts from 'ldapts'
import { isProblem } from '../../../kit/errors.ts'
import type { DirectorySearch, DirectoryServer } from '../driver.ts'
import { filterOf } from './filter.ts'
import { fromGuid, toGuid } from './guid.ts'
import { ldapDirectories } from './ldap.ts'
import { mayBeDirectory, parseServers } from './servers.ts'
import { isOneMessage } from './wire.ts'

test('addresses of directories are ldap and ldaps with nothing but a host and a port', () => {
  assert.deepEqual(parseServers('ldap://one, ldaps://Two.example:1636/', false), [
    { host: 'one', port: 389, tls: 'none' },
    { host: 'Two.example', port: 1636, tls: 'ldaps' },
  ])
  assert.deepEqual(parseServers('ldap://[2001:db8::1]', true), [{ host: '2001:db8::1', port: 389, tls: 'starttls' }])
  const bad = [
    '',
    'ldapi:///x',
    'http://x',
    'ldap://',
    'ldap://a@b',
    'ldap://a/dc=x',
    'ldap://a:0',
    'ldap://a:70000',
    'ldap://a ldap:/b',
    'ldap://a?x',
  ]
  for (const text of bad) assert.equal(parseServers(text, false), undefined, text)
  assert.equal(parseServers('ldaps://one', true), undefined, 'TLS within TLS')
})

test('a directory may be in a private network, and never where a machine keeps what it knows of itself', () => {
  for (const address of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '8.8.8.8', '::1', 'fd00::1'])
    assert.ok(mayBeDirectory(address), address)
  for (const address of [
    '169.254.169.254',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::',
    'fe80::1',
    'ff02::1',
    '::ffff:169.254.169.254',
    'x',
  ])
    assert.ok(!mayBeDirectory(address), address)
})

test('what users say is a value in a filter, whatever it looks like', () => {
  const value = 'x)(|(uid=*\\2a\0é'
  const filter = filterOf(ldapts, {
    is: 'all',
    of: [
      { is: 'text', text: '(|(a=1)(b=2))' },
      { is: 'equal', attribute: 'uid', value },
    ],
  })
  const writer = new ldapts.BerWriter()
  filter.write(writer)
  const bytes = writer.buffer
  const length = Buffer.byteLength(value)
  const expected = Buffer.concat([
    Buffer.from([0xa3, length + 7, 4, 3]),
    Buffer.from('uid'),
    Buffer.from([4, length]),
    Buffer.from(value),
  ])
  assert.ok(bytes.includes(expected))
  assert.match(filter.toString(), /\(uid=x\\29\\28\|\\28uid=\\2a\\5c2a\\00é\)/)
  for (const text of ['(a=1', 'a']) assert.throws(() => filterOf(ldapts, { is: 'text', text }), text)
})

test('an objectGUID is text as Windows writes it, both ways', () => {
  const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex')
  assert.equal(toGuid(bytes), '00112233-4455-6677-8899-aabbccddeeff')
  assert.deepEqual(fromGuid('objectGUID', toGuid(bytes)), bytes)
  assert.equal(fromGuid('entryUUID', toGuid(bytes)), undefined)
  assert.equal(fromGuid('objectGUID', 'x'), undefined)
})

test('one message of LDAP is told from one with something behind it', () => {
  const message = Buffer.from('300c02010178070a010004000400', 'hex')
  assert.ok(isOneMessage(message))
  assert.ok(isOneMessage(Buffer.concat([Buffer.from('30840000000c', 'hex'), message.subarray(2)])))
  for (const bytes of [
    Buffer.alloc(0),
    message.subarray(1),
    message.subarray(0, -1),
    Buffer.concat([message, Buffer.from([0x30])]),
  ])
    assert.ok(!isOneMessage(bytes), bytes.toString('hex'))
})

const success = { 96: 0x61, 99: 0x65, 119: 0x78 } as Record<number, number>

/** A server that answers each message by what `answer` makes of its number and kind. */
async function server(t: TestContext, answer: (number: number, kind: number, socket: Socket) => void): Promise<DirectoryServer> {
  const sockets = new Set<Socket>()
  const made = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => answer(bytes[4]!, bytes[5]!, socket))
  })
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    made.close()
  })
  return { host: '127.0.0.1', port: (made.address() as { port: number }).port, tls: 'none' }
}

/** LDAPResult with this code, for message `number`. */
const result = (number: number, kind: number, code: number): Buffer =>
  Buffer.from([0x30, 0x0c, 2, 1, number, success[kind] ?? 0x65, 7, 0x0a, 1, code, 4, 0, 4, 0])

const connection = (servers: DirectoryServer[]) => ({
  servers,
  bind: undefined,
  caFile: undefined,
  caFolder: undefined,
  verify: true,
})
const ask: DirectorySearch = {
  base: 'dc=x',
  scope: 'sub',
  pageSize: 0,
  attributes: ['cn'],
  filter: { is: 'equal', attribute: 'cn', value: 'x' },
}
const isUnavailable = (error: unknown) => isProblem(error, 'unavailable')

test('a server that says nothing is given up in time', { timeout: 10_000 }, async (t) => {
  const silent = await server(t, () => undefined)
  const directory = ldapDirectories({ wholeMs: 50 })(connection([silent]))
  await assert.rejects(directory.search(ask), isUnavailable)
  await assert.rejects(directory.check('cn=x', 'pw'), isUnavailable)
  const tls = ldapDirectories({ wholeMs: 50 })(connection([{ ...silent, tls: 'ldaps' }]))
  await assert.rejects(tls.search(ask), isUnavailable)
})

test('a server that never ends is cut off', { timeout: 5000 }, async (t) => {
  const entry = Buffer.from('30160201026411040464633d7830093007040163310204003030'.slice(0, 48), 'hex')
  const flood = await server(t, (_number, _kind, socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(Buffer.concat(Array.from({ length: 1000 }, () => entry))));
      if (!socket.destroyed) socket.once('drain', more)
    }
    more()
  })
  await assert.rejects(ldapDirectories({ answerBytes: 100_000 })(connection([flood])).search(ask), isUnavailable)
})

test('the next server is asked when one does not answer', async (t) => {
  const good = await server(t, (number, kind, socket) => socket.write(result(number, kind, 0)))
  const gone = { host: '127.0.0.1', port: 1, tls: 'none' as const }
  const directory = ldapDirectories()(connection([gone, good]))
  assert.deepEqual(await directory.search(ask), [])
  assert.equal(await directory.check('cn=x', 'pw'), true)
  await assert.rejects(ldapDirectories()(connection([gone])).search(ask), isUnavailable)
  await assert.rejects(ldapDirectories()(connection([{ ...gone, host: '169.254.169.254' }])).search(ask), isUnavailable)
})

test('a password is right only when the server says so, and nobody’s is never asked for', async (t) => {
  let asked = 0
  let code = 49
  const one = await server(t, (number, kind, socket) => {
    asked++
    socket.write(result(number, kind, code))
  })
  const directory = ldapDirectories()(connection([one]))
  for (const refusal of [49, 10, 14, 19, 32, 34, 48, 50, 53]) {
    code = refusal
    assert.equal(await directory.check('cn=x', 'pw'), false, String(refusal))
  }
  for (const trouble of [1, 2, 51, 52]) {
    code = trouble
    await assert.rejects(directory.check('cn=x', 'pw'), isUnavailable, String(trouble))
  }
  code = 0
  const before = asked
  assert.equal(await directory.check('cn=x', ''), false)
  assert.equal(await directory.check('EXTERNAL', 'pw'), false)
  assert.equal(asked, before)
})

test('what was cut off at a size limit is refused, a referral is not followed', async (t) => {
  let code = 4
  const one = await server(t, (number, kind, socket) => socket.write(result(number, kind, code)))
  const directory = ldapDirectories()(connection([one]))
  await assert.rejects(directory.search(ask), /size limit/)
  await assert.rejects(directory.search({ ...ask, pageSize: 10 }), /size limit/)
  code = 32
  await assert.rejects(directory.search(ask), (error) => isProblem(error, 'not-found'))
  code = 10
  await assert.rejects(directory.search(ask), isUnavailable)
})

test('what a server says before TLS beside its answer ends the connection', async (t) => {
  let extra: Uint8Array = Buffer.alloc(0)
  const one = await server(t, (number, kind, socket) => {
    if (kind === 0x77) socket.write(Buffer.concat([result(number, kind, 0), extra]))
  })
  const directory = ldapDirectories({ wholeMs: 500 })(connection([{ ...one, tls: 'starttls' }]))
  const reason = async () => {
    const error = await directory.search(ask).catch((thrown: Error) => thrown)
    return String(((error as Error).cause as Error).message)
  }
  assert.doesNotMatch(await reason(), /said more/)
  extra = result(3, 0x60, 0).subarray(0, -1)
  assert.match(await reason(), /said more than it may before TLS/)
})
