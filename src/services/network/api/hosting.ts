import { endpoint } from '../../../kit/http/endpoint.ts'
import { listAgents } from '../domain/agents.ts'
import { fault, noNetwork, noRouter } from '../domain/faults.ts'
import { agentTypes } from '../domain/homes.ts'
import { findNetwork } from '../domain/networks.ts'
import { findRouter } from '../domain/routers.ts'
import { wiredAgent } from './agents.ts'
import { renderer, type Wire } from './endpoints.ts'
import { networkResource } from './networks.ts'
import { routerResource } from './routers.ts'

/** Which host carries what, asked from either side. Where it is, is ours to choose: nothing is placed by hand. */
export function hostingEndpoints(wire: Wire) {
  const { store } = wire
  const [showNetwork, showRouter] = [renderer(wire, networkResource), renderer(wire, routerResource)]
  const hostOfAgent = async (id: string, type: string): Promise<string> => {
    const agent = (await listAgents(store)).find((one) => one.id === id)
    if (!agent) throw fault('not-found', 'AgentNotFound', `Agent ${id} could not be found.`)
    // An agent of another kind carries none: the name of no host.
    return agent.type === type ? agent.host : ' '
  }
  const agentsAt = async (host: string, type: string) =>
    (await listAgents(store)).filter((agent) => agent.host === host && agent.type === type)
  return [
    endpoint({
      on: 'GET /agents/{id}/dhcp-networks',
      policy: 'get_dhcp-networks',
      async handle(ask) {
        const host = await hostOfAgent(ask.params['id']!, agentTypes.dhcp)
        const rows = await store.read
          .selectFrom('network_network')
          .selectAll()
          .where('id', 'in', store.read.selectFrom('network_dhcp').select('network_id').where('host', '=', host))
          .execute()
        return { networks: (await networkResource.load(store.read, rows)).map((item) => showNetwork(item, ask)) }
      },
    }),
    endpoint({
      on: 'GET /agents/{id}/l3-routers',
      policy: 'get_l3-routers',
      async handle(ask) {
        const host = await hostOfAgent(ask.params['id']!, agentTypes.router)
        const rows = await store.read.selectFrom('network_router').selectAll().where('host', '=', host).execute()
        return { routers: (await routerResource.load(store.read, rows)).map((item) => showRouter(item, ask)) }
      },
    }),
    endpoint({
      on: 'GET /networks/{id}/dhcp-agents',
      policy: 'get_dhcp-agents',
      async handle(ask) {
        const id = ask.params['id']!
        if (!(await findNetwork(store.read, id))) throw noNetwork(id)
        const dhcp = await store.read.selectFrom('network_dhcp').select('host').where('network_id', '=', id).executeTakeFirst()
        return { agents: (await agentsAt(dhcp?.host ?? '', agentTypes.dhcp)).map((agent) => wiredAgent(agent, ask)) }
      },
    }),
    endpoint({
      on: 'GET /routers/{id}/l3-agents',
      policy: 'get_l3-agents',
      async handle(ask) {
        const router = await findRouter(store.read, ask.params['id']!)
        if (!router) throw noRouter(ask.params['id']!)
        return { agents: (await agentsAt(router.host, agentTypes.router)).map((agent) => wiredAgent(agent, ask)) }
      },
    }),
  ]
}
