/**
 * What a host costs its controller: `node test/load/hosts.ts [HOSTS] [SECONDS]` (100, 120). That many simulated hosts, all in this process, join one controller
 * process over the encrypted link, each with a key of its own; then nothing happens for so many seconds. Ends with 1 when a host is not seen to be up.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi } from '../../src/deploy/demo/api.ts'
import { password, startController } from './controller.ts'

const count = Number(process.argv[2] ?? 100)
const seconds = Number(process.argv[3] ?? 120)
const atOnce = 10
const tell = (what: string, value: string) => console.log(`${what.padEnd(52)} ${value}`)

const controller = await startController({ tls: true })
const admin = await openApi({ url: `${controller.url('identity')}/v3`, user: 'admin', password, project: 'admin' })
type Services = { services: { binary: string; state: string }[] }
const up = async () => {
  const { services } = await admin.get<Services>('compute', '/os-services')
  return services.filter((one) => one.binary === 'nova-compute' && one.state === 'up').length
}
await sleep(2000)
const [memory, cpu, began] = [controller.pssMb(), controller.cpuSeconds(), performance.now()]
let next = 0
const join = async () => {
  while (next < count) await controller.addHost(`host-${++next}`)
}
await Promise.all(Array.from({ length: atOnce }, join))
while ((await up()) < count) await sleep(50)
const joined = (performance.now() - began) / 1000
tell(
  `${count} hosts joined and up, ${atOnce} at a time`,
  `${joined.toFixed(1)} s, ${((joined * 1000) / count).toFixed(0)} ms a host`,
)
tell('processor time of the controller for it', `${(((controller.cpuSeconds() - cpu) * 1000) / count).toFixed(0)} ms a host`)

// Their first rounds are no idling.
await sleep(35_000)
const [calls, busy, from] = [controller.calls(), controller.cpuSeconds(), performance.now()]
await sleep(seconds * 1000)
const minutes = (performance.now() - from) / 60_000
const perMinute = Object.entries(controller.calls()).map(([name, n]) => [name, (n - (calls[name] ?? 0)) / minutes] as const)
const all = perMinute.reduce((sum, [, n]) => sum + n, 0)
tell(
  'calls idle',
  `${all.toFixed(0)} a minute, ${(all / count).toFixed(1)} a host: ${perMinute.map(([name, n]) => `${name} ${(n / count).toFixed(1)}`).join(', ')}`,
)
tell(
  'processor of the controller idle',
  `${(((controller.cpuSeconds() - busy) / (minutes * 60)) * 100).toFixed(1)} % of one core`,
)
tell(
  'memory of the controller (PSS)',
  `${memory.toFixed(0)} MB without hosts, ${controller.pssMb().toFixed(0)} MB with them: ${(((controller.pssMb() - memory) * 1024) / count).toFixed(0)} KB a host`,
)
const alive = await up()
tell('hosts up at the end', `${alive}`)
await controller.close()
assert.equal(alive, count)
process.exit(0)
