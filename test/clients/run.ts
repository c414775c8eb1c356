/**
 * Debian's unmodified openstack and nova clients, our neutron beside Debian's, and nova-manage, against a simulated cloud that listens: a line for each walk
 * through the commands of a service.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud } from '../../src/main/start-cloud.ts'
import { migrationWalks } from './migration.ts'
import { neutronWalks } from './neutron.ts'
import { novaWalks } from './nova.ts'
import { novaManageWalks } from './nova-manage.ts'
import { openClient } from './session.ts'
import { startUpWalks } from './start-up.ts'
import { tlsWalks } from './tls.ts'
import { walk } from './walk.ts'

const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'altostack-clients-'))
const cloud = await startCloud()
const client = openClient(cloud.env())
const neutron = neutronWalks(cloud.env(), cloud.env('demo'))
const walks = [
  ...walk.map(({ name, run }) => ({ name, run: () => run(client, folder) })),
  ...neutron.walks,
  ...novaWalks(cloud.env()),
  ...migrationWalks(cloud.env()),
  ...tlsWalks(cloud.env(), folder),
  ...novaManageWalks(cloud),
  ...startUpWalks(folder),
]
let failed = 0
for (const { name, run } of walks.filter((step) => wanted.length === 0 || wanted.some((part) => step.name.includes(part)))) {
  const started = performance.now()
  const trouble = await run().then(
    () => undefined,
    (error: Error) => error,
  )
  console.log(`${trouble ? 'FAILED' : 'ok'}  ${name}  (${Math.round(performance.now() - started)} ms)`)
  if (trouble) console.log(trouble.stack)
  if (trouble) failed++
}
// What a failed walk left behind is no orphan of the cloud.
const problems = await cloud.doctor()
for (const problem of problems) console.log(`doctor: ${problem}`)
client.close()
neutron.close()
await cloud.close()
rmSync(folder, { recursive: true, force: true })
process.exit(failed + problems.length === 0 ? 0 : 1)
