import type { Netns, NsInventory } from '../../drivers/netns/driver.ts'
import { explainError, isProblem } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { ControllerLink, HostRouter, RouterSeen } from '../document.ts'
import { eachOf } from '../netns/each.ts'
import { openMetadataDoor } from '../netns/metadata.ts'
import type { Agent } from '../rounds.ts'
import { metadataPort, plan, type RouterAction, routerOf } from './plan.ts'

export type RouterAgentOptions = { driver: Netns; link: Pick<ControllerLink, 'metadata'>; log: Log }

export type RouterAgent = Agent<HostRouter, RouterSeen> & { inventory(): Promise<NsInventory> }

/** The port agent makes the devices; there is no event for it here. */
const devicePollMs = 300
const retryMs = 2000
const atOnce = 4

/** The agent of routers. One that cannot be made is told and tried again; the others are not kept waiting. */
export function routerAgent({ driver, link, log }: RouterAgentOptions): RouterAgent {
  const door = openMetadataDoor({ link, log })

  const shape = async ({ router, namespace, shape: wanted }: RouterAction & { do: 'shape' }): Promise<RouterSeen> => {
    const { missing } = await driver.shape(namespace, wanted)
    await driver.listen(
      namespace,
      { ip: '0.0.0.0', port: metadataPort },
      door.receive({ networkId: undefined, routerId: router.id }),
    )
    const outside = router.external !== undefined && !missing.includes(router.external.device)
    return {
      id: router.id,
      ready: missing.length === 0,
      floatingIps: outside ? router.floatingIps.map(({ floatingIp }) => floatingIp) : [],
      error: undefined,
    }
  }

  const failed = (id: string, error: unknown): RouterSeen => {
    log.warn({ router: id, error: explainError(error) }, 'router failed')
    const text = isProblem(error) ? error.message : 'The host could not make this router; its log says more.'
    return { id, ready: false, floatingIps: [], error: text }
  }

  const apply = async (action: RouterAction): Promise<RouterSeen | undefined> => {
    const id = action.do === 'shape' ? action.router.id : routerOf(action.namespace)!
    try {
      if (action.do === 'shape') return await shape(action)
      log.info({ router: id, do: 'remove' }, 'router')
      await driver.remove(action.namespace)
      return undefined
    } catch (error) {
      return failed(id, error)
    }
  }

  return {
    kind: 'router',
    async round(desired) {
      const seen: RouterSeen[] = []
      await eachOf(plan(desired, await driver.list()), atOnce, async (action) => {
        const told = await apply(action)
        if (told) seen.push(told)
      })
      const named = new Set(seen.map((router) => router.id))
      const others = (await driver.list()).map(routerOf).filter((id): id is string => id !== undefined && !named.has(id))
      for (const id of others) seen.push({ id, ready: false, floatingIps: [], error: undefined })
      if (seen.some((router) => router.error !== undefined)) return { seen, again: retryMs }
      return seen.some((router) => !router.ready && named.has(router.id)) ? { seen, again: devicePollMs } : { seen }
    },
    async close() {
      door.close()
      await driver.close()
    },
    inventory: () => driver.inventory(),
  }
}
