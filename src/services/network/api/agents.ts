import { Type } from 'typebox'
import { second } from '../../../kit/clock.ts'
import { type Ask, endpoint } from '../../../kit/http/endpoint.ts'
import { type Agent, deleteAgent, listAgents, updateAgent } from '../domain/agents.ts'
import { fault } from '../domain/faults.ts'
import { itemsOf, readItem } from './bodies.ts'
import type { Wire } from './endpoints.ts'
import { badBody, bool, nullable, text } from './kinds.ts'
import type { Attribute } from './resource.ts'

/** `2026-01-01 00:00:00`: agents alone print times so. */
const time = (at: number) => new Date(Math.floor(at / second) * 1000).toISOString().slice(0, 19).replace('T', ' ')

const attributes: Record<string, Attribute<Agent>> = {
  id: { from: (agent) => agent.id },
  agent_type: { from: (agent) => agent.type },
  binary: { from: (agent) => agent.binary },
  topic: { from: (agent) => agent.topic },
  host: { from: (agent) => agent.host },
  admin_state_up: { from: (agent) => agent.isUp, take: bool, in: 'put' },
  created_at: { from: (agent) => time(agent.createdAt) },
  started_at: { from: (agent) => time(agent.startedAt) },
  heartbeat_timestamp: { from: (agent) => time(agent.heartbeatAt) },
  alive: { from: (agent) => agent.alive },
  configurations: { from: (agent) => agent.configurations },
  description: { from: (agent) => (agent.description === '' ? null : agent.description), take: nullable(text()), in: 'put' },
  availability_zone: { from: (agent) => (agent.topic === 'N/A' ? null : 'nova') },
  resources_synced: { from: () => null },
}
const resource = { name: 'agent', plural: 'agents', attributes }

export const wiredAgent = (agent: Agent, { query }: Pick<Ask, 'query'>) =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, { from }]) =>
      from && (!query['fields'] || query['fields'].includes(name)) ? [[name, from(agent)]] : [],
    ),
  )

const word = (value: unknown) => (typeof value === 'boolean' ? (value ? 'true' : 'false') : String(value ?? ''))

/** There are four agents a host: filters and order need no database. */
function selected(agents: Agent[], { query }: Pick<Ask, 'query'>): Agent[] {
  const shown = (agent: Agent, name: string) => word(attributes[name]?.from?.(agent))
  const filters = Object.entries(query).filter(([name]) => !['fields', 'sort_key', 'sort_dir', 'limit', 'marker'].includes(name))
  const unknown = filters.filter(([name]) => !Object.hasOwn(attributes, name)).map(([name]) => `'${name}'`)
  if (unknown.length > 0) throw badBody(`[${unknown.join(', ')}] is invalid attribute for filtering`)
  const found = agents.filter((agent) =>
    filters.every(([name, values]) => values.some((value) => value.toLowerCase() === shown(agent, name).toLowerCase())),
  )
  const [key, down] = [query['sort_key']?.[0], query['sort_dir']?.[0] === 'desc']
  if (key === undefined) return found
  return found.toSorted((a, b) => (shown(a, key) < shown(b, key) ? -1 : 1) * (down ? -1 : 1))
}

const noAgent = (id: string) => fault('not-found', 'AgentNotFound', `Agent ${id} could not be found.`)

export function agentEndpoints({ store }: Wire) {
  const one = {
    subject: async ({ params }: Pick<Ask, 'params'>) => (await listAgents(store)).find((agent) => agent.id === params['id']),
    visible: 'get_agent',
    missing: (params: Record<string, string>) => noAgent(params['id']!),
  }
  return [
    endpoint({
      on: 'GET /agents',
      policy: 'get_agent',
      handle: async (ask) => ({ agents: selected(await listAgents(store), ask).map((agent) => wiredAgent(agent, ask)) }),
    }),
    endpoint({
      on: 'GET /agents/{id}',
      policy: 'get_agent',
      ...one,
      handle: async (ask) => ({ agent: wiredAgent(ask.subject, ask) }),
    }),
    endpoint({
      on: 'PUT /agents/{id}',
      policy: 'update_agent',
      ...one,
      body: Type.Unknown(),
      async handle(ask) {
        const values = readItem(resource, itemsOf(resource, ask.body).items[0]!, 'put')
        const patch = {
          isUp: values['admin_state_up'] as boolean | undefined,
          description: values['description'] === null ? '' : (values['description'] as string | undefined),
        }
        await store.change((change) => updateAgent(change, ask.subject.id, patch))
        const now = (await listAgents(store)).find((agent) => agent.id === ask.subject.id)
        if (!now) throw noAgent(ask.subject.id)
        return { agent: wiredAgent(now, ask) }
      },
    }),
    endpoint({
      on: 'DELETE /agents/{id}',
      policy: 'delete_agent',
      ...one,
      handle: (ask) => store.change((change) => deleteAgent(change, ask.subject)),
    }),
  ]
}

/** Zones that routers and networks may be asked into: the one there is, while any host serves it. */
export const zoneEndpoints = ({ store }: Wire) => [
  endpoint({
    on: 'GET /availability_zones',
    policy: 'get_availability_zone',
    async handle({ query }) {
      const agents = await listAgents(store)
      const up = agents.some((agent) => agent.alive)
      const zones =
        agents.length === 0
          ? []
          : ['network', 'router'].map((resource) => ({ name: 'nova', resource, state: up ? 'available' : 'unavailable' }))
      const wanted = zones.filter((zone) =>
        (['name', 'resource', 'state'] as const).every((key) => !query[key] || query[key].includes(zone[key])),
      )
      return { availability_zones: wanted }
    },
  }),
]
