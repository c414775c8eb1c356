import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../kit/log.ts'
import type { MetadataRequest } from '../document.ts'
import { openMetadataDoor } from './metadata.ts'

async function place(t: TestContext, answer: () => Promise<string>) {
  const asked: MetadataRequest[] = []
  const link = {
    async metadata(ask: MetadataRequest) {
      asked.push(ask)
      return { status: 200, contentType: 'text/plain', body: await answer() }
    },
  }
  const door = openMetadataDoor({ link, log: silentLog })
  const server = createServer(door.receive({ networkId: 'n1', routerId: undefined })).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    door.close()
    server.close()
  })
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const { port } = server.address() as AddressInfo
      request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode, body }))
      })
        .on('error', reject)
        .end()
    })
  const hold = () =>
    new Promise<void>((resolve) => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', resolve)
      socket.on('error', () => {})
      t.after(() => socket.destroy())
    })
  return { asked, get, hold }
}

test('a request is told by where it came from, and no header of the guest is passed on', async (t) => {
  const { asked, get } = await place(t, async () => 'hello')
  const forged = { 'x-forwarded-for': '10.9.9.9', 'x-instance-id': 'other', 'x-tenant-id': 'other' }
  assert.deepEqual(await get('/openstack/latest/meta_data.json', forged), { status: 200, body: 'hello' })
  assert.deepEqual(asked, [
    { networkId: 'n1', routerId: undefined, ip: '127.0.0.1', method: 'GET', path: '/openstack/latest/meta_data.json' },
  ])
})

test('a guest that keeps connections open gets no more than its share', async (t) => {
  const { get, hold } = await place(t, async () => 'hello')
  await Promise.all(Array.from({ length: 16 }, hold))
  await assert.rejects(get('/'))
})

test('while no controller answers, guests hear 503 and not why', async (t) => {
  const { get } = await place(t, () => Promise.reject(new Error('secret reason')))
  const { status, body } = await get('/')
  assert.equal(status, 503)
  assert.ok(!body.includes('secret'))
})
