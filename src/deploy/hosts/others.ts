import { rm } from 'node:fs/promises'
import type { Settings } from '../answers/settings.ts'
import { hostsUp, openAdmin } from '../cloud.ts'
import type { Installation } from '../installation.ts'
import type { Step } from '../plan.ts'
import { fingerprintFrom } from '../program.ts'
import type { Asker } from '../questions.ts'
import type { Screen } from '../screen.ts'
import { cardSteps } from './card-steps.ts'
import { cardsWanted } from './cards.ts'
import { everComputeHosts } from './compute-hosts.ts'
import { doubles, judgeHost } from './judge.ts'
import { rememberKey } from './known.ts'
import { isLocal } from './local.ts'
import { letKeyIn, openHosts } from './open.ts'
import { recordedHosts, recordHosts } from './record.ts'
import { keptOpen, roleSteps } from './services.ts'
import { planLines, type Target, targetOf } from './state.ts'
import { hostSteps, packedFile } from './steps.ts'

export type OthersNeeds = {
  installation: Installation
  settings: Settings
  /** What the cloud calls this machine. */
  localName: string
  asker: Asker | undefined
  timeoutSeconds: number
  screen: Screen
}

/** The other hosts of the answers, looked at all at once. */
export type Others = {
  problems: string[]
  plan: string[]
  /** Names of those that are to run guests. */
  computeHosts: string[]
  steps: Step[]
  /** Writes down who they are; before anything is changed on them. */
  record(): Promise<void>
  close(): Promise<void>
}

export async function otherHosts(needs: OthersNeeds): Promise<Others> {
  const { installation, settings, localName, asker, timeoutSeconds, screen } = needs
  const { place, exec, clone } = installation
  const wanted = await remoteHosts(settings)
  const excluded = wanted.filter((address) => settings.excluded.includes(address))
  const addresses = wanted.filter((address) => !excluded.includes(address))
  const { open, unreached } = await openHosts(addresses, { place, sshKey: settings.sshKey, asker })
  const judged = open.flatMap(({ address, seen }) =>
    judgeHost(seen, {
      arch: process.arch,
      now: Date.now() / 1000,
      cards: cardsWanted(settings, settings.networkHosts.includes(address)),
    }).map(({ what, remedy }) => `${address} (${seen.name}): ${what}. ${remedy}`),
  )
  const names = [{ address: 'this machine', name: localName }, ...open.map(({ address, seen }) => ({ address, name: seen.name }))]
  const up =
    open.length === 0
      ? []
      : await openAdmin(place, settings.controller)
          .then(hostsUp)
          .catch(() => [])
  const fingerprint = open.length === 0 ? '' : await fingerprintFrom(clone, place.program)
  const targets = open.map((host) => targetOf(host, { place, settings, fingerprint, up }))
  const offList = (await recordedHosts(place)).filter(({ address }) => !wanted.includes(address))
  const ever = await everComputeHosts(place)
  const isListed = ({ address }: Target) => settings.computeHosts.includes(address)
  const left = targets.filter((target) => !isListed(target) && ever.includes(target.seen.name))
  const done = (text: string) => screen.done(text)
  const { controller } = settings
  const steps = hostSteps(targets, { place, exec, controller, fingerprint, timeoutMs: timeoutSeconds * 1000, done })
  return {
    problems: [...unreached.map(({ why }) => why), ...judged, ...doubles(names)],
    plan: [...planLines(settings, targets, excluded, offList), ...left.map(({ address, seen }) => keptOpen(address, seen.name))],
    computeHosts: targets.filter(isListed).map(({ seen }) => seen.name),
    steps: [
      ...steps,
      ...targets.flatMap((target) =>
        cardSteps(place, {
          name: target.seen.name,
          title: `${target.address}: `,
          needs: [`${target.address}: Waiting for it to report`],
          cards: cardsWanted(settings, target.node.isNetworkHost),
        }),
      ),
      ...targets.flatMap((target) =>
        roleSteps(place, controller, {
          name: target.seen.name,
          title: `${target.address}: `,
          isCompute: isListed(target),
          wasCompute: ever.includes(target.seen.name),
          needs: [`${target.address}: Waiting for it to report`],
        }),
      ),
    ],
    async record() {
      await letKeyIn(open, place, settings.sshKey)
      for (const { address, newKey } of open) if (newKey) await rememberKey(place, address, newKey)
      await recordHosts(
        place,
        targets.map(({ address, seen }) => ({ address, name: seen.name })),
      )
    },
    async close() {
      for (const { shell } of open) shell.close()
      await rm(packedFile(), { force: true })
    },
  }
}

/** Compute and network hosts but for this machine, each once. */
async function remoteHosts({ computeHosts, networkHosts }: Settings): Promise<string[]> {
  const all = [...new Set([...computeHosts, ...networkHosts])]
  const here = await Promise.all(all.map(isLocal))
  return all.filter((_, index) => !here[index])
}
