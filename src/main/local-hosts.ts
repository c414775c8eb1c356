import type { AgentKind, ControllerLink, HostFacts, Question } from '../agents/document.ts'
import type { Rounds } from '../agents/rounds.ts'
import { Problem } from '../kit/errors.ts'
import type { Hosts } from '../services/service.ts'
import type { Desk } from './desk.ts'

/** A host's agents in this process. */
export type LocalHost = {
  name: string
  facts(): Promise<HostFacts>
  rounds: Partial<Record<AgentKind, Rounds>>
  ask(question: Question): Promise<unknown>
  close(): Promise<void>
}

export type LocalHosts = Hosts & {
  add(host: LocalHost): void
  remove(name: string): Promise<void>
  all(): LocalHost[]
}

/** Hosts reached by function calls. `hinted` hears every hint besides. */
export function localHosts(hinted?: (host: string, kind: AgentKind) => void): LocalHosts {
  const hosts = new Map<string, LocalHost>()
  return {
    add: (host) => void hosts.set(host.name, host),
    async remove(name) {
      const host = hosts.get(name)
      hosts.delete(name)
      await host?.close()
    },
    all: () => [...hosts.values()],
    hint(name, kind) {
      hosts.get(name)?.rounds[kind]?.hint()
      hinted?.(name, kind)
    },
    async ask(name, question) {
      const host = hosts.get(name)
      if (!host) throw new Problem('unavailable', `The host ${name} did not answer.`)
      return host.ask(question)
    },
  }
}

/** The link of an agent in the controller's own process. */
export const directLink = (desk: () => Desk, host: string): ControllerLink => ({
  desired: async (kind) => structuredClone(await desk().agent(kind).desired(host)) as never,
  report: (kind, seen) => desk().agent(kind).report(host, structuredClone(seen)),
  facts: (facts) => desk().facts(facts),
  blob: (id) => desk().blob(id),
  metadata: (request) => desk().metadata(request),
})
