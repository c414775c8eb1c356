/**
 * Uploads and downloads images of growing size (in MB: default 10 and 10000; they need that much room in the folder for temporary files) and tells how much memory
 * the controller used meanwhile. What is sent is made as it goes, what comes back is thrown away. Ends with 1 when the large one takes more.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type LoadedController, password, startController } from './controller.ts'

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10, 10_000]
/** What may differ between a small and a large image: garbage that was not collected yet. */
const slackMb = 64

const controller = await startController()
const login = await fetch(`${controller.url('identity')}/v3/auth/tokens`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password } } },
      scope: { project: { name: 'admin', domain: { id: 'default' } } },
    },
  }),
})
const token = login.headers.get('x-subject-token') ?? ''
const images = `${controller.url('image')}/v2/images`
const chunk = Buffer.alloc(1 << 20, 'altostack')

const ask = (method: string, id: string): ClientRequest =>
  request(`${images}/${id}/file`, {
    method,
    agent: false,
    headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream' },
  })

async function upload(id: string, bytes: number): Promise<string> {
  const asking = ask('PUT', id)
  const answer = once(asking, 'response') as Promise<[IncomingMessage]>
  const sum = createHash('md5')
  for (let left = bytes; left > 0; left -= chunk.length) {
    const part = left < chunk.length ? chunk.subarray(0, left) : chunk
    sum.update(part)
    if (!asking.write(part)) await once(asking, 'drain')
  }
  asking.end()
  const [{ statusCode }] = await answer
  assert.equal(statusCode, 204)
  return sum.digest('hex')
}

async function download(id: string, bytes: number): Promise<string> {
  const asking = ask('GET', id).end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  const sum = createHash('md5')
  let got = 0
  for await (const part of answer) {
    got += (part as Buffer).length
    sum.update(part as Buffer)
  }
  assert.equal(got, bytes)
  return sum.digest('hex')
}

/** The most that was in use while `run` ran. */
async function watched<T>(of: LoadedController, run: () => Promise<T>): Promise<{ made: T; seconds: number; peakMb: number }> {
  let peakMb = of.rssMb()
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, of.rssMb())
  }, 50)
  const began = performance.now()
  try {
    return { made: await run(), seconds: (performance.now() - began) / 1000, peakMb }
  } finally {
    clearInterval(look)
  }
}

const peaks: number[] = []
for (const mb of sizes) {
  const bytes = mb * 1_000_000
  const image = { name: `bytes-${mb}`, disk_format: 'raw', container_format: 'bare' }
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' }
  const made = await fetch(images, { method: 'POST', headers, body: JSON.stringify(image) })
  const { id } = (await made.json()) as { id: string }
  const before = controller.rssMb()
  const up = await watched(controller, () => upload(id, bytes))
  const down = await watched(controller, () => download(id, bytes))
  assert.equal(down.made, up.made)
  const peak = Math.max(up.peakMb, down.peakMb)
  peaks.push(peak)
  const tell = ({ seconds, peakMb }: typeof up) =>
    `${seconds.toFixed(1)} s, ${(mb / seconds).toFixed(0)} MB/s, at most ${peakMb.toFixed(0)} MB`
  console.log(`${String(mb).padStart(6)} MB  up: ${tell(up)}  down: ${tell(down)}  (before: ${before.toFixed(0)} MB)`)
  assert.equal((await fetch(`${images}/${id}`, { method: 'DELETE', headers })).status, 204)
}
await controller.close()
const grew = Math.max(...peaks) - peaks[0]!
console.log(grew <= slackMb ? 'memory does not depend on the size' : `the largest took ${grew.toFixed(0)} MB more than the first`)
process.exit(grew <= slackMb ? 0 : 1)
