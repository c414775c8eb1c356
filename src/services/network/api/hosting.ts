import { Type } from 'typebox'
import { endpoint } from '../../../kit/http/endpoint.ts'
import { type Agent, listAgents } from '../domain/agents.ts'
import { badRequest, fault, noNetwork, noRouter } from '../domain/faults.ts'
import { agentTypes, placeDhcp, placeRouter } from '../domain/homes.ts'
import { findNetwork } from '../domain/networks.ts'
import { findRouter } from '../domain/routers.ts'
import type { On } from '../domain/store.ts'
import { wiredAgent } from './agents.ts'
import { renderer, type Wire } from './endpoints.ts'
import { networkResource } from './networks.ts'
import { routerResource } from './routers.ts'

const dhcpOf = (on: On, networkId: string) =>
  on.selectFrom('network_dhcp').select('host').where('network_id', '=', networkId).executeTakeFirst()

const invalidAgent = (id: string, type: string) =>
  type === agentTypes.dhcp
    ? fault('not-found', 'InvalidDHCPAgent', `Agent ${id} is not a valid DHCP Agent or has been disabled.`)
    : fault('not-found', 'InvalidL3Agent', `Agent ${id} is not a L3 Agent or has been disabled`)
const hosted = (network: string, agent: string) =>
  fault('conflict', 'NetworkHostedByDHCPAgent', `The network ${network} has been already hosted by the DHCP Agent ${agent}.`)
const notHosted = (network: string, agent: string) =>
  fault('conflict', 'NetworkNotHostedByDhcpAgent', `The network ${network} is not hosted by the DHCP agent ${agent}.`)
const routed = (router: string, agent: string) =>
  fault('conflict', 'RouterHostedByL3Agent', `The router ${router} has been already hosted by the L3 Agent ${agent}.`)

/**
 * Which host carries what, asked from either side, and changed by hand. A router or DHCP server taken off a host is on none until a living host
 * looks after it (30 s), so whoever wants it elsewhere puts it there; one whose host dies is moved, whoever put it there.
 */
export function hostingEndpoints(wire: Wire) {
  const { store } = wire
  const [showNetwork, showRouter] = [renderer(wire, networkResource), renderer(wire, routerResource)]
  const agentNamed = async (id: string): Promise<Agent> => {
    const agent = (await listAgents(store)).find((one) => one.id === id)
    if (!agent) throw fault('not-found', 'AgentNotFound', `Agent ${id} could not be found.`)
    return agent
  }
  /** One that may be given something to carry. */
  const agentFor = async (id: string, type: string): Promise<Agent> => {
    const agent = await agentNamed(id)
    if (agent.type !== type || !agent.isUp) throw invalidAgent(id, type)
    return agent
  }
  const hostOfAgent = async (id: string, type: string): Promise<string> => {
    const agent = await agentNamed(id)
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
      on: 'POST /agents/{id}/dhcp-networks',
      policy: 'create_dhcp-network',
      status: 201,
      body: Type.Object({ network_id: Type.String() }),
      async handle({ params, body: { network_id: networkId } }) {
        const agent = await agentFor(params['id']!, agentTypes.dhcp)
        if (!(await findNetwork(store.read, networkId))) throw noNetwork(networkId)
        await store.change(async (change) => {
          const dhcp = await dhcpOf(change.tx, networkId)
          if (!dhcp) throw badRequest('network', `Network ${networkId} has no subnet with DHCP`)
          if (dhcp.host === agent.host) throw hosted(networkId, agent.id)
          await placeDhcp(change, networkId, agent.host)
        })
      },
    }),
    endpoint({
      on: 'DELETE /agents/{id}/dhcp-networks/{network_id}',
      policy: 'delete_dhcp-network',
      async handle({ params }) {
        const [agent, networkId] = [await agentNamed(params['id']!), params['network_id']!]
        await store.change(async (change) => {
          const dhcp = await dhcpOf(change.tx, networkId)
          if (dhcp?.host !== agent.host || agent.type !== agentTypes.dhcp) throw notHosted(networkId, agent.id)
          await placeDhcp(change, networkId, undefined)
        })
      },
    }),
    endpoint({
      on: 'POST /agents/{id}/l3-routers',
      policy: 'create_l3-router',
      status: 201,
      body: Type.Object({ router_id: Type.String() }),
      async handle({ params, body: { router_id: routerId } }) {
        const agent = await agentFor(params['id']!, agentTypes.router)
        const all = await listAgents(store)
        const carrier = (host: string) => all.find((one) => one.host === host && one.type === agentTypes.router)?.id ?? host
        await store.change(async (change) => {
          const router = await findRouter(change.tx, routerId)
          if (!router) throw noRouter(routerId)
          if (router.host === agent.host) return
          if (router.host !== '') throw routed(routerId, carrier(router.host))
          await placeRouter(change, routerId, agent.host)
        })
      },
    }),
    endpoint({
      on: 'DELETE /agents/{id}/l3-routers/{router_id}',
      policy: 'delete_l3-router',
      async handle({ params }) {
        const agent = await agentNamed(params['id']!)
        await store.change(async (change) => {
          const router = await findRouter(change.tx, params['router_id']!)
          if (!router) throw noRouter(params['router_id']!)
          if (router.host === agent.host && agent.type === agentTypes.router) await placeRouter(change, router.id, undefined)
        })
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
