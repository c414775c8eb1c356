import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type AssignmentFilter, type Listed, listAssignments } from '../domain/assignment-list.ts'
import { type AssignmentNames, assignmentNames, type NameInDomain } from '../domain/assignment-names.ts'
import { existing } from '../domain/names.ts'
import { findProject } from '../domain/project-tree.ts'
import type { Store } from '../domain/store.ts'
import * as wire from './wire.ts'

export const roleAssignmentEndpoints = (store: Store): Endpoint[] => [
  endpoint({
    on: 'GET /role_assignments',
    policy: 'identity:list_role_assignments',
    alsoAsks: ['identity:list_role_assignments_for_tree'],
    summary: 'List who has which role where, as given or as it takes effect',
    async target(ask) {
      const id = wire.isTrue(ask.query['include_subtree']) ? ask.query['scope.project.id']?.at(-1) : undefined
      if (!id) return wire.ownDomain(ask)
      const project = existing(await findProject(store.read, id), 'project', id)
      return { target: { domain_id: project.domainId || project.id, project: { id: project.id, domain_id: project.domainId } } }
    },
    async handle(ask) {
      const filter = filterOf(ask)
      const found = await listAssignments(store, filter)
      const list = await inOwnDomain(store, ask, found)
      const names = wire.isTrue(ask.query['include_names']) ? await assignmentNames(store, list) : undefined
      return {
        role_assignments: list.map((one) => assignmentView(ask, one, names)),
        links: { next: null, self: `${ask.origin}${ask.url}`, previous: null },
      }
    },
  }),
]

/** A domain's token sees that domain only. */
async function inOwnDomain({ read }: Store, { caller }: Ask, list: Listed[]): Promise<Listed[]> {
  if (caller.domainId === undefined) return list
  const rows = await read.selectFrom('identity_project').select('id').where('domain_id', '=', caller.domainId).execute()
  const own = new Set([caller.domainId, ...rows.map((row) => row.id)])
  return list.filter((one) => one.target !== 'system' && own.has(one.targetId))
}

function filterOf(ask: Ask): AssignmentFilter {
  const { query } = ask
  const text = (name: string) => query[name]?.at(-1) || undefined
  const [userId, groupId, domainId, projectId] = ['user.id', 'group.id', 'scope.domain.id', 'scope.project.id'].map(text)
  const system = text('scope.system') !== undefined
  const inherited = query['scope.OS-INHERIT:inherited_to'] && text('scope.OS-INHERIT:inherited_to') === 'projects'
  const effective = wire.isTrue(query['effective'])
  const subtree = wire.isTrue(query['include_subtree'])
  const refuse = (condition: unknown, message: string) => {
    if (condition) throw new Problem('invalid', message)
  }
  if (subtree) wire.assertRule(ask, 'identity:list_role_assignments_for_tree')
  refuse(subtree && !projectId, 'scope.project.id must be specified if include_subtree is also specified')
  refuse(domainId && projectId, 'Specify a domain or project, not both')
  refuse(domainId && system, 'Specify system or domain, not both')
  refuse(projectId && system, 'Specify system or project, not both')
  refuse(userId && groupId, 'Specify a user or group, not both')
  refuse(effective && groupId, 'Combining effective and group filter will always result in an empty list.')
  refuse(
    effective && inherited && domainId,
    'Combining effective, domain and inherited filters will always result in an empty list.',
  )
  return { roleId: text('role.id'), userId, groupId, domainId, projectId, system, inherited, effective, subtree }
}

function assignmentView(ask: Pick<Ask, 'origin'>, one: Listed, names: AssignmentNames | undefined): object {
  const role = names?.roles.get(one.roleId)
  return {
    role: { id: one.roleId, ...(role && (role.domainId === '' ? { name: role.name } : named(role))) },
    scope: scopeView(one, names),
    [one.actor]: { id: one.actorId, ...named(names?.[`${one.actor}s`].get(one.actorId)) },
    links: linksOf(ask, one),
  }
}

function scopeView({ target, targetId, inherited }: Listed, names: AssignmentNames | undefined): object {
  const down = inherited ? { 'OS-INHERIT:inherited_to': 'projects' } : {}
  const name = names?.projects.get(targetId)
  if (target === 'system') return { system: { all: true } }
  if (target === 'domain') return { domain: { id: targetId, ...(name && { name: name.name }) }, ...down }
  return { project: { id: targetId, ...named(name) }, ...down }
}

const named = (one: NameInDomain | undefined) => one && { name: one.name, domain: { id: one.domainId, name: one.domainName } }

/** Where the assignment that is behind this one can be changed. */
function linksOf(ask: Pick<Ask, 'origin'>, one: Listed): object {
  const from = one.viaTarget ?? one
  const place = from.target === 'system' ? 'system' : `${from.target}s/${from.targetId}`
  const actor = one.viaGroupId === undefined ? `${one.actor}s/${one.actorId}` : `groups/${one.viaGroupId}`
  const path = `${place}/${actor}/roles/${one.viaRoleId ?? one.roleId}`
  return {
    assignment: wire.linkTo(ask, one.inherited ? `OS-INHERIT/${path}/inherited_to_projects` : path),
    ...(one.viaGroupId !== undefined && { membership: wire.linkTo(ask, `groups/${one.viaGroupId}/users/${one.actorId}`) }),
    ...(one.viaRoleId !== undefined && { prior_role: wire.linkTo(ask, `roles/${one.viaRoleId}/implies/${one.roleId}`) }),
  }
}
