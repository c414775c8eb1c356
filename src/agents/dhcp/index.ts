import type { Dhcpd } from '../../drivers/dhcpd/driver.ts'
import type { Netns } from '../../drivers/netns/driver.ts'
import { explainError, isProblem } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { ControllerLink, DhcpSeen, HostDhcp } from '../document.ts'
import { eachOf } from '../netns/each.ts'
import { metadataIp, openMetadataDoor } from '../netns/metadata.ts'
import type { Agent } from '../rounds.ts'
import { type DhcpAction, networkOf, plan } from './plan.ts'

export type DhcpAgentOptions = { netns: Netns; dhcpd: Dhcpd; link: Pick<ControllerLink, 'metadata'>; log: Log }

export type DhcpAgent = Agent<HostDhcp, DhcpSeen> & {
  inventory(): Promise<{ namespaces: string[]; files: string[]; problems: string[] }>
}

/** The port agent makes the device; there is no event for it here. */
const devicePollMs = 300
const retryMs = 2000
const atOnce = 4

/** The agent of DHCP: a namespace and a server for each network. One that cannot be served is told and tried again. */
export function dhcpAgent({ netns, dhcpd, link, log }: DhcpAgentOptions): DhcpAgent {
  const door = openMetadataDoor({ link, log })

  const serve = async ({ dhcp, namespace, shape, config }: DhcpAction & { do: 'serve' }): Promise<DhcpSeen> => {
    const { networkId } = dhcp
    const { missing } = await netns.shape(namespace, shape)
    if (missing.length > 0) return { networkId, ready: false, leases: await dhcpd.leases(networkId), error: undefined }
    const { running, problems } = await dhcpd.serve(config)
    if (dhcp.metadata) {
      await netns.listen(namespace, { ip: metadataIp, port: 80 }, door.receive({ networkId, routerId: undefined }))
    }
    return { networkId, ready: running, leases: await dhcpd.leases(networkId), error: problems[0] }
  }

  const failed = (networkId: string, error: unknown): DhcpSeen => {
    log.warn({ network: networkId, error: explainError(error) }, 'DHCP failed')
    const text = isProblem(error) ? error.message : 'The host could not serve addresses here; its log says more.'
    return { networkId, ready: false, leases: [], error: text }
  }

  const remove = async (networkId: string, namespace: string): Promise<undefined> => {
    log.info({ network: networkId, do: 'remove' }, 'DHCP')
    await dhcpd.stop(networkId)
    await netns.remove(namespace)
  }

  const apply = async (action: DhcpAction): Promise<DhcpSeen | undefined> => {
    const networkId = action.do === 'serve' ? action.dhcp.networkId : action.networkId
    try {
      return action.do === 'serve' ? await serve(action) : await remove(networkId, action.namespace)
    } catch (error) {
      return failed(networkId, error)
    }
  }

  const present = async (): Promise<string[]> => {
    const spaces = (await netns.list()).map(networkOf).filter((id): id is string => id !== undefined)
    return [...new Set([...spaces, ...(await dhcpd.list())])]
  }

  return {
    kind: 'dhcp',
    async round(desired) {
      const seen: DhcpSeen[] = []
      await eachOf(plan(desired, await present()), atOnce, async (action) => {
        const told = await apply(action)
        if (told) seen.push(told)
      })
      const named = new Set(seen.map((dhcp) => dhcp.networkId))
      const waiting = seen.filter((dhcp) => !dhcp.ready)
      for (const networkId of await present()) {
        if (!named.has(networkId)) seen.push({ networkId, ready: false, leases: [], error: undefined })
      }
      if (waiting.length === 0) return { seen }
      return { seen, again: waiting.some((dhcp) => dhcp.error !== undefined) ? retryMs : devicePollMs }
    },
    watch: (changed) => dhcpd.watch(changed),
    async close() {
      door.close()
      await dhcpd.close()
      await netns.close()
    },
    async inventory() {
      const [{ namespaces, problems }, mine] = [await netns.inventory(), await dhcpd.inventory()]
      return { namespaces, files: mine.files, problems: [...problems, ...mine.problems] }
    },
  }
}
