import { openLinkClient } from '../../kit/link/client.ts'
import { silentLog } from '../../kit/log.ts'
import { readSecrets, until } from '../cloud.ts'
import { type Place, ports } from '../place.ts'
import type { Step } from '../plan.ts'
import type { CardsWanted } from './cards.ts'

export type CardHost = { name: string; title: string; needs: string[]; cards: CardsWanted }

/** Long enough for an agent that proves a move and takes it back. */
const waitSeconds = 45

/**
 * The host's agent itself puts cards into bridges, since the way to the host may lead through them; here one waits for what it says of that. What went wrong is on the
 * host as it was before.
 */
export function cardSteps(place: Place, { name, title, needs, cards }: CardHost): Step[] {
  const { uplinks } = cards
  if (uplinks.length === 0) return []
  const isAboutCards = (problem: string) =>
    problem.startsWith(`${name}: `) && uplinks.some(({ nic, bridge }) => problem.includes(nic) && problem.includes(bridge))
  /** Undefined: the host does not answer. */
  const troubles = async (): Promise<string[] | undefined> => {
    const secrets = await readSecrets(place)
    if (!secrets?.linkCertificate) return undefined
    const { linkCertificate: certificate, linkKey: key } = secrets
    const client = openLinkClient({ url: `https://127.0.0.1:${ports.link}`, certificate, key, host: '', log: silentLog })
    try {
      const hosts = (await client.call('hosts', {})) as string[]
      const { problems } = (await client.call('doctor', {})) as { problems: string[] }
      return hosts.includes(name) && !problems.some((one) => one.startsWith(`host ${name} `))
        ? problems.filter(isAboutCards)
        : undefined
    } finally {
      client.close()
    }
  }
  const isRight = async () => (await troubles())?.length === 0
  const step: Step = {
    name: `${title}Putting network cards into bridges`,
    needs,
    isDone: () => isRight().catch(() => false),
    apply: () =>
      until(isRight, waitSeconds, async () => (await troubles().catch(() => undefined))?.join(' ') ?? `${name} does not answer`),
  }
  return [step]
}
