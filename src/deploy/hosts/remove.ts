import { explainError } from '../../kit/errors.ts'
import { openLinkClient } from '../../kit/link/client.ts'
import { silentLog } from '../../kit/log.ts'
import { openAdmin, readSecrets } from '../cloud.ts'
import { readConfigured } from '../config.ts'
import type { Api } from '../demo/api.ts'
import type { Installation } from '../installation.ts'
import { type Place, ports } from '../place.ts'
import type { Asker } from '../questions.ts'
import type { Screen } from '../screen.ts'
import { forgetComputeHost } from './compute-hosts.ts'
import { drainGuests } from './drain.ts'
import { drainNetwork, forgetAgents } from './drain-network.ts'
import { openHosts } from './open.ts'
import { forgetHost, type Recorded, recordedHosts } from './record.ts'
import { closeForGuests, computeService, openForGuests } from './services.ts'
import { quoted } from './ssh.ts'

export type RemoveNeeds = { installation: Installation; screen: Screen; asker: Asker | undefined; timeoutMs: number }

/** `--remove-host`: closed for new guests, emptied of those there, cleaned, and forgotten. Again and after a kill as well. */
export async function removeHost(wanted: string, { installation, screen, asker, timeoutMs }: RemoveNeeds): Promise<number> {
  const { place } = installation
  const host = (await recordedHosts(place)).find(({ address, name }) => address === wanted || name === wanted)
  const configured = await readConfigured(place)
  if (!host || !configured) return screen.refuse(`${wanted} is no host that packstack added; ${await known(place)}`)
  const admin = await openAdmin(place, configured.host)
  const refused = await drain(admin, host, screen, timeoutMs)
  if (refused !== undefined) return screen.refuse(refused)
  const { open, unreached } = await openHosts([host.address], { place, sshKey: '', asker })
  for (const { why } of unreached) screen.say(`Note : ${why}. What is on it stays; packstack --uninstall there takes it away`)
  for (const { shell } of open) {
    const { code, stderr, stdout } = await shell.run(
      `[ ! -e ${quoted(place.program)} ] || ${quoted(`${place.program}/bin/packstack`)} --uninstall`,
      { timeoutMs },
    )
    shell.close()
    if (code !== 0) return screen.refuse(`${host.address}: ${(stderr.trim() || stdout.trim()).slice(-300)}`)
    screen.done(`${host.address}: Taking everything away`)
  }
  const service = await computeService(admin, host.name)
  if (service) await admin.delete('compute', `/os-services/${service.id}`)
  await forgetKey(place, host)
  await forgetAgents(admin, host.name)
  await forgetComputeHost(place, host.name)
  await forgetHost(place, host)
  screen.done(`${host.address}: Forgetting it`)
  screen.say(`\n${host.name} is no host of this cloud any more. Take it out of the answer file too.`)
  return 0
}

const known = async (place: Place) => {
  const names = (await recordedHosts(place)).map(({ address, name }) => `${name} (${address})`)
  return names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`
}

/** No guest comes to a closed host, and those there go to others. Why it cannot be removed; it is then as open as it was. */
async function drain(admin: Api, { name, address }: Recorded, screen: Screen, timeoutMs: number): Promise<string | undefined> {
  const service = await computeService(admin, name)
  if (!service) return undefined
  const wasOpen = service.status === 'enabled'
  if (wasOpen) await closeForGuests(admin, name, 'packstack: being removed')
  const done = (text: string) => screen.done(`${address}: ${text}`)
  done('Closing it for guests')
  const stuck = await drainGuests({ admin, host: name, timeoutMs, done })
  if (stuck.length === 0) {
    for (const why of await drainNetwork(admin, name, done)) screen.say(`Note : ${why}`)
    return undefined
  }
  if (wasOpen) await openForGuests(admin, name).catch((error) => explainError(error))
  return `${name} stays: these guests cannot go to another host\n${stuck.map((line) => `  ${line}`).join('\n')}`
}

async function forgetKey(place: Place, { name }: Recorded): Promise<void> {
  const secrets = await readSecrets(place)
  if (!secrets?.linkCertificate) return
  const { linkCertificate: certificate, linkKey: key } = secrets
  const client = openLinkClient({ url: `https://127.0.0.1:${ports.link}`, certificate, key, host: '', log: silentLog })
  await client.call('forget', { host: name }).finally(client.close)
}
