import { sql } from 'kysely'
import { noGroup, noRule } from '../domain/faults.ts'
import { createGroup, deleteGroup, ensureDefaultGroup, updateGroup } from '../domain/security-groups.ts'
import { createRule, deleteRule, type RuleAsk } from '../domain/security-rules.ts'
import type { On } from '../domain/store.ts'
import type { GroupRow, RuleRow } from '../tables.ts'
import { creator, readers, remover, renderer, updater, type Wire } from './endpoints.ts'
import { whole } from './filters.ts'
import { filled, id, int, ipOrCidr, nullable, oneOf } from './kinds.ts'
import { ownTarget, type Resource, type Values } from './resource.ts'
import { identityAttributes, standardAttributes, type Tagged, tagsOf, untagged } from './standard.ts'

type RuleItem = RuleRow & { isDefault: boolean }
type GroupItem = GroupRow & Tagged & { rules: RuleItem[] }

const orNull = (value: string) => (value === '' ? null : value)
const portOrNull = (value: number) => (value < 0 ? null : value)
const column = (name: keyof RuleRow & string) => ({ filter: { column: name }, sort: name })
const { name: __, ...unnamed } = identityAttributes

const ruleResource: Resource<RuleRow, RuleItem> = {
  name: 'security_group_rule',
  plural: 'security_group_rules',
  path: '/security-group-rules',
  table: 'network_rule',
  attributes: {
    ...unnamed,
    security_group_id: { from: (item) => item.group_id, take: id, in: 'post', required: true, ...column('group_id') },
    ethertype: {
      from: (item) => item.ethertype,
      take: (value) => oneOf('IPv4', 'IPv6')(typeof value === 'string' ? value.replace(/^ipv/i, 'IPv') : value),
      in: 'post',
      ...column('ethertype'),
    },
    direction: {
      from: (item) => item.direction,
      take: oneOf('ingress', 'egress'),
      in: 'post',
      required: true,
      ...column('direction'),
    },
    protocol: {
      from: (item) => orNull(item.protocol),
      take: nullable((value) => filled(40)(typeof value === 'number' ? String(value) : value).toLowerCase()),
      in: 'post',
      ...column('protocol'),
    },
    port_range_min: {
      from: (item) => portOrNull(item.port_min),
      take: nullable(int()),
      in: 'post',
      filter: { column: 'port_min', value: whole },
      sort: 'port_min',
    },
    port_range_max: {
      from: (item) => portOrNull(item.port_max),
      take: nullable(int()),
      in: 'post',
      filter: { column: 'port_max', value: whole },
      sort: 'port_max',
    },
    remote_ip_prefix: {
      from: (item) => orNull(item.remote_prefix),
      take: nullable(ipOrCidr),
      in: 'post',
      ...column('remote_prefix'),
    },
    remote_address_group_id: { from: () => null, take: nullable(() => oneOf()('address groups are not offered')), in: 'post' },
    normalized_cidr: { from: (item) => orNull(item.remote_prefix) },
    remote_group_id: {
      from: (item) => orNull(item.remote_group_id),
      take: nullable(id),
      in: 'post',
      ...column('remote_group_id'),
    },
    belongs_to_default_sg: {
      from: (item) => item.isDefault,
      filter: {
        where: (values) =>
          sql`group_id in (select id from network_group where is_default in (${sql.join(values.map((value) => (/^(true|1)$/i.test(value) ? 1 : 0)))}))`,
      },
    },
    ...untagged,
    description: { ...untagged['description']!, in: 'post' },
  },
  find: (on, ruleId) => on.selectFrom('network_rule').selectAll().where('id', '=', ruleId).executeTakeFirst(),
  load: loadRules,
  target: (item) => ({ ...ownTarget(item), 'security_group:project_id': item.project_id, belongs_to_default_sg: item.isDefault }),
  visible: (projectId) => sql`project_id = ${projectId}`,
  missing: noRule,
}

async function loadRules(on: On, rows: RuleRow[]): Promise<RuleItem[]> {
  if (rows.length === 0) return []
  const groups = [...new Set(rows.map((row) => row.group_id))]
  const defaults = await on
    .selectFrom('network_group')
    .select('id')
    .where('id', 'in', groups)
    .where('is_default', '=', 1)
    .execute()
  const isDefault = new Set(defaults.map((row) => row.id))
  return rows.map((row) => ({ ...row, isDefault: isDefault.has(row.group_id) }))
}

export const groupResource = (wire: Wire): Resource<GroupRow, GroupItem> => {
  const render = renderer(wire, ruleResource)
  const all = { can: () => true, query: {} }
  return {
    name: 'security_group',
    plural: 'security_groups',
    path: '/security-groups',
    table: 'network_group',
    attributes: {
      ...identityAttributes,
      name: { ...identityAttributes['name']!, usual: undefined },
      // Connections are always tracked here.
      stateful: { from: () => true },
      security_group_rules: { from: (item) => item.rules.map((rule) => render(rule, all)) },
      shared: { from: () => false },
      is_default: { from: (item) => item.is_default === 1, filter: { column: 'is_default', op: 'bit' }, sort: 'is_default' },
      ...standardAttributes,
    },
    find: findGroup,
    load: loadGroups,
    target: (item) => ({ ...ownTarget(item), shared: false }),
    visible: (projectId) => sql`project_id = ${projectId}`,
    missing: noGroup,
  }
}

const findGroup = (on: On, groupId: string): Promise<GroupRow | undefined> =>
  on.selectFrom('network_group').selectAll().where('id', '=', groupId).executeTakeFirst()

async function loadGroups(on: On, rows: GroupRow[]): Promise<GroupItem[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const rules = await on.selectFrom('network_rule').selectAll().where('group_id', 'in', ids).orderBy('created_at').execute()
  const tags = await tagsOf(on, ids)
  const byGroup = Map.groupBy(rules, (rule) => rule.group_id)
  return rows.map((row) => ({
    ...row,
    rules: (byGroup.get(row.id) ?? []).map((rule) => ({ ...rule, isDefault: row.is_default === 1 })),
    tags: tags.get(row.id) ?? [],
  }))
}

export function groupEndpoints(wire: Wire) {
  const resource = groupResource(wire)
  const [list, show] = readers(wire, resource)
  return [
    // A project that looks for the first time finds its default group.
    {
      ...list!,
      async handle(ask: Parameters<NonNullable<typeof list>['handle']>[0]) {
        const { projectId } = ask.caller
        if (projectId !== undefined) await ensureOnce(wire, projectId)
        return list!.handle(ask)
      },
    },
    show!,
    creator(wire, resource, {
      make: (change, projectId, values) =>
        createGroup(change, projectId, { ...groupPatch(values), name: (values['name'] as string) ?? '' }),
    }),
    updater(wire, resource, { change: (change, row, values) => updateGroup(change, row, groupPatch(values)) }),
    remover(wire, resource, (change, row, ask) => deleteGroup(change, row, ask.can('context_is_admin'))),
  ]
}

async function ensureOnce({ store }: Wire, projectId: string): Promise<void> {
  const known = await store.read
    .selectFrom('network_group')
    .select('id')
    .where('project_id', '=', projectId)
    .where('is_default', '=', 1)
    .executeTakeFirst()
  if (!known) await store.change((change) => ensureDefaultGroup(change, projectId))
}

const groupPatch = (values: Values) => ({
  name: values['name'] as string | undefined,
  description: values['description'] as string | undefined,
})

const ruleAsk = (values: Values): RuleAsk => ({
  direction: values['direction'] as RuleAsk['direction'],
  ethertype: (values['ethertype'] as RuleAsk['ethertype'] | undefined) ?? 'IPv4',
  protocol: anyProtocol(values['protocol'] as string | null | undefined),
  portMin: (values['port_range_min'] ?? undefined) as number | undefined,
  portMax: (values['port_range_max'] ?? undefined) as number | undefined,
  remoteGroupId: (values['remote_group_id'] ?? undefined) as string | undefined,
  remotePrefix: (values['remote_ip_prefix'] ?? undefined) as string | undefined,
  description: values['description'] as string | undefined,
})

const anyProtocol = (protocol: string | null | undefined): string | undefined =>
  protocol === null || protocol === 'any' ? undefined : protocol

export const ruleEndpoints = (wire: Wire) => [
  ...readers(wire, ruleResource),
  creator(wire, ruleResource, {
    async target(on, ask, projectId, values) {
      if (values['security_group_id'] === undefined) return { 'security_group:project_id': projectId }
      const group = await findGroup(on, String(values['security_group_id']))
      if (!group || !ask.can('get_security_group', { ...ownTarget(group), shared: false }))
        throw noGroup(String(values['security_group_id']))
      return { 'security_group:project_id': group.project_id }
    },
    async make(change, _, values, ask) {
      const group = await findGroup(change.tx, values['security_group_id'] as string)
      if (!group) throw noGroup(values['security_group_id'] as string)
      return createRule(change, group, ruleAsk(values), ask.can('context_is_admin'))
    },
  }),
  remover(wire, ruleResource, deleteRule),
]
