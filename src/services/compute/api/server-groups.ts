import { type TSchema, Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { ServerGroup, ServerGroups } from '../domain/server-groups.ts'
import { loose, Name, Positive, querySchema, within } from './types.ts'

const shown = (group: ServerGroup, members: string[], version: number) => ({
  id: group.id,
  name: group.name,
  ...(version >= 64 ? { policy: group.policy, rules: group.rules } : { policies: [group.policy], metadata: {} }),
  members,
  ...(version >= 13 ? { project_id: group.projectId, user_id: group.userId } : {}),
})

const policies = (version: number) =>
  version >= 15 ? ['anti-affinity', 'affinity', 'soft-anti-affinity', 'soft-affinity'] : ['anti-affinity', 'affinity']

const newGroup = (version: number): TSchema => {
  const word = Type.Unsafe({ type: 'string', enum: policies(version) })
  if (version < 64)
    return within(
      'server_group',
      loose({ name: Name, policies: Type.Unsafe({ type: 'array', items: word, minItems: 1, maxItems: 1 }) }, [
        'name',
        'policies',
      ]),
    )
  return within(
    'server_group',
    loose({ name: Name, policy: word, rules: loose({ max_server_per_host: Positive }) }, ['name', 'policy']),
  )
}

export function serverGroupEndpoints(groups: ServerGroups): Endpoint[] {
  const rule = (verb: string) => `os_compute_api:os-server-groups:${verb}`
  const one = {
    subject: async ({ params }: { params: Record<string, string> }) =>
      isUuid(params['server_group_id']!) ? groups.find(params['server_group_id']!) : undefined,
    visible: rule('show'),
    missing: ({ server_group_id }: Record<string, string>) => `Instance group ${server_group_id} could not be found.`,
  }
  return [
    endpoint({
      on: 'GET /os-server-groups',
      policy: rule('index'),
      query: (version) => {
        const number = { type: 'array', items: { type: 'string', pattern: '^[0-9]+$' } }
        const base = querySchema({ known: ['all_projects'] })(version) as unknown as { properties: object }
        return Type.Unsafe({ ...base, properties: { ...base.properties, limit: number, offset: number } })
      },
      async handle({ query, caller, can, version }) {
        const all = query['all_projects'] !== undefined && can(rule('index:all_projects'))
        const page = { limit: Math.min(1000, Number(query['limit']?.[0] ?? 1000)), offset: Number(query['offset']?.[0] ?? 0) }
        const found = await groups.list(all ? undefined : (caller.projectId ?? ''), page)
        const members = await groups.members(found.map((group) => group.id))
        return { server_groups: found.map((group) => shown(group, members.get(group.id)!, version)) }
      },
    }),
    endpoint({
      on: 'POST /os-server-groups',
      policy: rule('create'),
      body: newGroup,
      async handle({ body, caller, version }) {
        const wire = (body as { server_group: Record<string, unknown> }).server_group
        const policy = String(wire['policy'] ?? (wire['policies'] as string[])[0])
        const rules = (wire['rules'] ?? {}) as Record<string, number | string>
        if (Object.keys(rules).length > 0 && policy !== 'anti-affinity')
          throw new Problem('invalid', 'Only anti-affinity policy supports rules.')
        const group = await groups.create({
          projectId: caller.projectId ?? '',
          userId: caller.userId,
          name: String(wire['name']).trim(),
          policy,
          rules: Object.fromEntries(Object.entries(rules).map(([name, value]) => [name, Number(value)])),
        })
        return { server_group: shown(group, [], version) }
      },
    }),
    endpoint({
      on: 'GET /os-server-groups/{server_group_id}',
      policy: rule('show'),
      ...one,
      handle: async ({ subject, version }) => ({
        server_group: shown(subject!, (await groups.members([subject!.id])).get(subject!.id)!, version),
      }),
    }),
    endpoint({
      on: 'DELETE /os-server-groups/{server_group_id}',
      policy: rule('delete'),
      ...one,
      handle: async ({ subject }) => groups.remove(subject!.id),
    }),
  ]
}
