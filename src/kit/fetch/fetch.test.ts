import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { isProblem } from '../errors.ts'
import { openAddresses } from './addresses.ts'
import { type FetchSettings, openFetch } from './fetch.ts'

const loopback = { allowedNetworks: ['127.0.0.1'], allowedPorts: 'any' } as const
const limit = { maxBytes: 1000 }

async function server(t: TestContext, listener: RequestListener): Promise<string> {
  const app = createServer(listener)
  t.after(() => void app.close().closeAllConnections())
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(app.address() as AddressInfo).port}`
}

const text = async (url: string, settings: FetchSettings = loopback, options = limit) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await openFetch(settings).open(url, options)).bytes) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
const isRefused = (error: unknown) => isProblem(error, 'invalid') && error.code === 'refused-url'

test('what an allowed host gives is read, with its size when it says one, and it hears nothing of us', async (t) => {
  const heard: string[] = []
  const url = await server(t, (request, answer) => {
    heard.push(...Object.keys(request.headers))
    answer.end('hello')
  })
  assert.equal(await text(`${url}/a`), 'hello')
  assert.deepEqual(heard.sort(), ['connection', 'host'])
  assert.equal((await openFetch(loopback).open(url, limit)).sizeBytes, 5)
})

test('OSSA-2026-004: no spelling of an address that is not public passes, nor any other scheme, nor a password', () => {
  const { check } = openFetch()
  for (const host of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '0',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
  ])
    assert.throws(() => check(`http://${host}/`), isRefused, host)
  for (const host of [
    '169.254.169.254',
    '100.64.0.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[fe80::1]',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
  ])
    assert.throws(() => check(`http://${host}/`), isRefused, host)
  for (const url of [
    'file:///etc/passwd',
    'ftp://example.org/x',
    'gopher://example.org',
    'http://user:word@example.org/',
    'x',
    '',
  ])
    assert.throws(() => check(url), isRefused, url)
  for (const url of ['http://example.org:22/', 'http://example.org:8080/']) assert.throws(() => check(url), isRefused, url)
  assert.throws(() => openFetch({ refusedHosts: ['Metadata.Internal'] }).check('http://metadata.internal./'), isRefused)
  check('https://example.org/image.qcow2')
  check('http://93.184.216.34/')
})

test('a name is refused when any of its addresses is not public, and is connected to by the address that was checked', async (t) => {
  const url = await server(t, (request, answer) => void answer.end(request.headers.host))
  const { port } = new URL(url)
  for (const addresses of [['127.0.0.1'], ['93.184.216.34', '10.0.0.1'], ['::ffff:10.0.0.1'], []])
    await assert.rejects(text(`http://images.test:${port}/`, { allowedPorts: 'any', resolve: async () => addresses }), isRefused)
  const asked: string[] = []
  const resolve = async (host: string) => {
    asked.push(host)
    return asked.length === 1 ? ['127.0.0.1'] : ['10.0.0.1']
  }
  assert.equal(await text(`http://images.test:${port}/`, { ...loopback, resolve }), `images.test:${port}`)
  assert.deepEqual(asked, ['images.test'])
})

test('every redirect is judged as the first address was', async (t) => {
  const targets: Record<string, string> = {
    '/inside': 'http://10.0.0.1/',
    '/file': 'file:///etc/passwd',
    '/user': 'http://a:b@127.0.0.1/',
    '/loop': '/loop',
    '/good': '/end',
  }
  const url = await server(t, (request, answer) => {
    const to = targets[request.url!]
    if (to === undefined) answer.end('end')
    else answer.writeHead(302, { location: to }).end()
  })
  for (const path of ['/inside', '/file', '/user']) await assert.rejects(text(url + path), isRefused, path)
  await assert.rejects(text(`${url}/loop`), /redirects more than/)
  assert.equal(await text(`${url}/good`), 'end')
})

test('too much, silence, an answer that breaks off and one that is no 200 are errors', async (t) => {
  const url = await server(t, (request, answer) => {
    if (request.url === '/large') answer.end(Buffer.alloc(1001))
    else if (request.url === '/endless') answer.write(Buffer.alloc(600), () => answer.end(Buffer.alloc(600)))
    else if (request.url === '/cut') answer.writeHead(200, { 'content-length': '10' }).write('x', () => answer.destroy())
    else if (request.url === '/missing') answer.writeHead(404).end()
  })
  for (const path of ['/large', '/endless'])
    await assert.rejects(text(url + path), (error) => isProblem(error, 'too-large'), path)
  await assert.rejects(text(`${url}/cut`), (error) => isProblem(error, 'unavailable'))
  await assert.rejects(text(`${url}/missing`), /answered 404/)
  await assert.rejects(text(`${url}/silent`, { ...loopback, quietMs: 30 }), (error) => isProblem(error, 'unavailable'))
  await assert.rejects(text(`${url}/silent`, { ...loopback, timeoutMs: 30 }), (error) => isProblem(error, 'unavailable'))
})

test('networks that are allowed are open, and nothing beside them', () => {
  const isOpen = openAddresses(['10.1.0.0/16', 'fd00::/8'])
  assert.deepEqual(
    ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1', '8.8.8.8', '2606:4700::1', '10.2.0.1', 'fe80::1', 'x'].map(isOpen),
    [true, true, true, true, true, false, false, false],
  )
})

test('headers that are given go to the address itself, and not to where it leads', async (t) => {
  const heard: unknown[] = []
  const url = await server(t, (request, answer) => {
    heard.push([request.url, request.headers['x-auth-token']])
    if (request.url === '/a') answer.writeHead(302, { location: '/b' })
    answer.end('hello')
  })
  await openFetch(loopback).open(`${url}/a`, { ...limit, headers: { 'x-auth-token': 'secret' } })
  assert.deepEqual(heard, [
    ['/a', 'secret'],
    ['/b', undefined],
  ])
})
