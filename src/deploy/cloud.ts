import { setTimeout as pause } from 'node:timers/promises'
import { identityUrl } from './config.ts'
import { type Api, openApi } from './demo/api.ts'
import { readText } from './files.ts'
import type { Place } from './place.ts'
import { parseSecrets, type Secrets } from './secrets.ts'

/** Whether the cloud's identity service answers at this address. */
export const isAnswering = async (host: string): Promise<boolean> =>
  fetch(identityUrl(host), { signal: AbortSignal.timeout(3000) }).then(
    ({ ok }) => ok,
    () => false,
  )

export const readSecrets = async (place: Place): Promise<Secrets | undefined> => parseSecrets(await readText(place.secretsFile))

/** The administrator's session. */
export async function openAdmin(place: Place, host: string): Promise<Api> {
  const secrets = await readSecrets(place)
  if (!secrets) throw new Error(`${place.secretsFile} is not there`)
  return openApi({ url: identityUrl(host), user: 'admin', password: secrets.adminPassword, project: 'admin' })
}

type ComputeService = { binary: string; host: string; state: string }

/** Hosts whose agent reports to the controller. */
export async function hostsUp(admin: Api): Promise<string[]> {
  const { services } = await admin.get<{ services: ComputeService[] }>('compute', '/os-services?binary=nova-compute')
  return services.filter(({ state }) => state === 'up').map(({ host }) => host)
}

/** Asks until it is so. Throws with the reason when it does not become so in time. */
export async function until(isSo: () => Promise<boolean>, seconds: number, otherwise: () => Promise<string>): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    if (await isSo().catch(() => false)) return
    await pause(100)
  }
  throw new Error(await otherwise())
}

/** The last lines of a log, for an error message. */
export const lastLines = async (file: string, count = 5): Promise<string> =>
  ((await readText(file)) ?? '').trimEnd().split('\n').slice(-count).join('\n')
