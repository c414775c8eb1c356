import type { ControllerLink } from '../agents/document.ts'
import type { LinkClient } from '../kit/link/client.ts'

/** A controller as agents see it, over the link. */
export const agentLink = (client: LinkClient): ControllerLink => ({
  desired: async (kind) => (await client.call('desired', { kind })) as never,
  report: async (kind, seen) => void (await client.call('report', { kind, seen })),
  facts: async (facts) => void (await client.call('facts', facts)),
  blob: (id) => client.stream('blob', id),
  metadata: async (request) => (await client.call('metadata', request)) as never,
})
