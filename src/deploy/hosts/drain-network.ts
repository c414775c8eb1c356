import { type Api, ApiRefused } from '../demo/api.ts'

type Agent = { id: string; agent_type: string; host: string; alive: boolean; admin_state_up: boolean }
type Named = { id: string; name: string }

const agentsOf = async (admin: Api): Promise<Agent[]> => (await admin.get<{ agents: Agent[] }>('network', '/agents')).agents

/**
 * Brings the routers and address servers of a host to others, and lets none come. Gives a line for each that no other host can carry; those stay until the
 * host is gone. May be done again at any time.
 */
export async function drainNetwork(admin: Api, host: string, done: (text: string) => void): Promise<string[]> {
  const all = await agentsOf(admin)
  const stuck: string[] = []
  for (const [type, what, path] of [
    ['L3 agent', 'routers', 'l3-routers'],
    ['DHCP agent', 'networks', 'dhcp-networks'],
  ] as const) {
    const from = all.find((agent) => agent.host === host && agent.agent_type === type)
    if (!from) continue
    if (from.admin_state_up) await admin.put('network', `/agents/${from.id}`, { agent: { admin_state_up: false } })
    const others = all.filter((agent) => agent.host !== host && agent.agent_type === type && agent.alive && agent.admin_state_up)
    const carried = (await admin.get<Record<string, Named[]>>('network', `/agents/${from.id}/${path}`))[what] ?? []
    for (const one of carried) {
      const title = what === 'routers' ? `router ${one.name || one.id}` : `the address server of ${one.name || one.id}`
      const to = what === 'routers' ? await moveRouter(admin, one.id, from, others) : await moveServer(admin, one.id, others)
      if (to) done(`Moving ${title} to ${to.host}`)
      else stuck.push(`${title}: no other host reaches its networks`)
    }
  }
  return stuck
}

/** Without its agents a host is no host of the network any more. */
export async function forgetAgents(admin: Api, host: string): Promise<void> {
  for (const { id } of (await agentsOf(admin)).filter((agent) => agent.host === host))
    await admin.delete('network', `/agents/${id}`)
}

/** A router must leave one host before it is put on another; when none takes it, it goes back. */
async function moveRouter(admin: Api, router: string, from: Agent, others: readonly Agent[]): Promise<Agent | undefined> {
  if (others.length === 0) return undefined
  await admin.delete('network', `/agents/${from.id}/l3-routers/${router}`)
  const to = await firstThatTakes(others, ({ id }) => admin.post('network', `/agents/${id}/l3-routers`, { router_id: router }))
  if (to) return to
  await admin.put('network', `/agents/${from.id}`, { agent: { admin_state_up: true } })
  await firstThatTakes([from], ({ id }) => admin.post('network', `/agents/${id}/l3-routers`, { router_id: router }))
  await admin.put('network', `/agents/${from.id}`, { agent: { admin_state_up: false } })
  return undefined
}

const moveServer = (admin: Api, network: string, others: readonly Agent[]) =>
  firstThatTakes(others, ({ id }) => admin.post('network', `/agents/${id}/dhcp-networks`, { network_id: network }))

async function firstThatTakes(agents: readonly Agent[], give: (agent: Agent) => Promise<unknown>): Promise<Agent | undefined> {
  for (const agent of agents) {
    try {
      await give(agent)
      return agent
    } catch (error) {
      if (!(error instanceof ApiRefused && error.status === 409)) throw error
    }
  }
  return undefined
}
