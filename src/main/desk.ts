import type { AgentKind, HostFacts, MetadataReply, MetadataRequest } from '../agents/document.ts'
import { Problem } from '../kit/errors.ts'
import type { AgentDesk, Service } from '../services/service.ts'

/** Everything hosts may ask of a controller, whichever service answers it. */
export type Desk = {
  agent(kind: AgentKind): AgentDesk
  facts(facts: HostFacts): Promise<void>
  blob(id: string): Promise<AsyncIterable<Uint8Array>>
  metadata(request: MetadataRequest): Promise<MetadataReply>
}

export function deskOf(services: Service[]): Desk {
  const desks = services.flatMap((service) => service.desk ?? [])
  const one = <Found>(found: (Found | undefined)[], what: string): Found => {
    const first = found.find((item) => item !== undefined)
    if (!first) throw new Problem('not-found', `Nobody here answers for ${what}.`)
    return first
  }
  return {
    agent: (kind) =>
      one(
        desks.map((desk) => desk.agents[kind]),
        `agents of kind ${kind}`,
      ),
    async facts(facts) {
      for (const desk of desks) await desk.facts?.(facts)
    },
    blob: (id) =>
      one(
        desks.map((desk) => desk.blob),
        'image bytes',
      )(id),
    metadata: (request) =>
      one(
        desks.map((desk) => desk.metadata),
        'metadata',
      )(request),
  }
}
