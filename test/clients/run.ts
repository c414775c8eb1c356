/**
 * Debian's unmodified openstack client, and our neutron beside Debian's, against a simulated cloud that listens: a line for each walk through the
 * commands of a service.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud } from '../../src/main/start-cloud.ts'
import { walkNeutron } from './neutron.ts'
import { openClient } from './session.ts'
import { walk } from './walk.ts'

const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'altostack-clients-'))
const cloud = await startCloud()
const client = openClient(cloud.env())
let failed = 0
for (const { name, run } of walk.filter((step) => wanted.length === 0 || wanted.some((part) => step.name.includes(part)))) {
  const started = performance.now()
  const trouble = await run(client, folder).then(
    () => undefined,
    (error: Error) => error,
  )
  console.log(`${trouble ? 'FAILED' : 'ok'}  ${name}  (${Math.round(performance.now() - started)} ms)`)
  if (trouble) console.log(trouble.stack)
  if (trouble) failed++
}
failed += await walkNeutron(cloud.env(), wanted)
// What a failed walk left behind is no orphan of the cloud.
const problems = await cloud.doctor()
for (const problem of problems) console.log(`doctor: ${problem}`)
client.close()
await cloud.close()
rmSync(folder, { recursive: true, force: true })
process.exit(failed + problems.length === 0 ? 0 : 1)
