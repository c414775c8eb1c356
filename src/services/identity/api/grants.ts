import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type Assignment, type Assignments, notAssigned } from '../domain/assignments.ts'
import type { Group, Groups } from '../domain/groups.ts'
import { existing } from '../domain/names.ts'
import type { Project } from '../domain/project-tree.ts'
import type { Projects } from '../domain/projects.ts'
import type { Role, Roles } from '../domain/roles.ts'
import type { User, Users } from '../domain/users.ts'
import { groupTarget } from './groups.ts'
import { projectTarget } from './projects.ts'
import { roleTarget, roleView } from './roles.ts'
import { userTarget } from './user-view.ts'
import * as wire from './wire.ts'

type Found = { role: Role | undefined; user: User | undefined; group: Group | undefined; project: Project | undefined }
type Parts = { assignments: Assignments; roles: Roles; users: Users; groups: Groups; projects: Projects }

/** One family of paths: whose roles on what, and whether they are handed down. */
type Family = { actor: Assignment['actor']; target: Assignment['target']; inherited: boolean }

const families: Family[] = (['user', 'group'] as const).flatMap((actor): Family[] => [
  { actor, target: 'project', inherited: false },
  { actor, target: 'domain', inherited: false },
  { actor, target: 'system', inherited: false },
  { actor, target: 'project', inherited: true },
  { actor, target: 'domain', inherited: true },
])

/** `/projects/{project_id}/users/{user_id}/roles`, `/system/…` and `/OS-INHERIT/…/inherited_to_projects`: the same five verbs on each. */
export const grantEndpoints = (parts: Parts): Endpoint[] => families.flatMap((family) => familyEndpoints(family, parts))

function familyEndpoints(family: Family, { assignments, roles, users, groups, projects }: Parts): Endpoint[] {
  const { actor, target, inherited } = family
  const place = target === 'system' ? '/system' : `/${target}s/{${target}_id}`
  const base = `${inherited ? '/OS-INHERIT' : ''}${place}/${actor}s/{${actor}_id}/roles`
  const tail = inherited ? '/inherited_to_projects' : ''
  const rule = (verb: string, plural = '') =>
    target === 'system' ? `identity:${verb}_system_grant${plural}_for_${actor}` : `identity:${verb}_grant${plural}`
  const find = async <T>(id: string | undefined, load: (id: string) => Promise<T>) => (id === undefined ? undefined : load(id))
  const about = {
    async subject({ params }: Pick<Ask, 'params'>): Promise<Found> {
      const [role, user, group, project] = await Promise.all([
        find(params['role_id'], roles.find),
        find(params['user_id'], users.find),
        find(params['group_id'], groups.find),
        find(params['project_id'] ?? params['domain_id'], projects.find),
      ])
      return { role, user, group, project }
    },
    target: ({ subject: { role, user, group, project } }: { subject: Found }) => ({
      target: {
        ...roleTarget(role),
        ...userTarget(user),
        ...groupTarget(group),
        ...(target === 'domain' ? project && { domain: { id: project.id } } : projectTarget(project)),
      },
    }),
  }
  const onWhat = ({ params }: Pick<Ask, 'params'>): Omit<Assignment, 'roleId'> => ({
    actor,
    actorId: params[`${actor}_id`]!,
    target,
    targetId: target === 'system' ? 'all' : params[`${target}_id`]!,
    inherited,
  })
  /** Whatever the path names must exist; an actor that is gone may still lose its roles. */
  const whole = (ask: Ask<unknown, Found>, goneActor = false): Omit<Assignment, 'roleId'> => {
    const { subject } = ask
    const on = onWhat(ask)
    if (ask.params['role_id'] !== undefined) existing(subject.role, 'role', ask.params['role_id'])
    if (!goneActor) existing<User | Group>(subject[actor], actor, on.actorId)
    if (target === 'project') existing(subject.project, 'project', on.targetId)
    if (target === 'domain') existing(subject.project?.isDomain ? subject.project : undefined, 'domain', on.targetId)
    return on
  }
  const assignment = (ask: Ask<unknown, Found>, goneActor = false): Assignment => ({
    ...whole(ask, goneActor),
    roleId: ask.params['role_id']!,
  })
  const assertGiven = async (ask: Ask<unknown, Found>) => {
    const asked = assignment(ask)
    if (!(await assignments.has(asked))) throw notAssigned(asked)
  }
  const what = `${target === 'system' ? 'the system' : `a ${target}`}${inherited ? ', for the projects below' : ''}`
  return [
    // Projects hand down through OS-INHERIT as domains do, but there is no list of it.
    ...(inherited && target === 'project'
      ? []
      : [
          endpoint({
            on: `GET ${base}${tail}`,
            policy: rule('list', 's'),
            summary: `List the roles of a ${actor} on ${what}`,
            ...about,
            async handle(ask) {
              const rows = await assignments.roles(whole(ask))
              return wire.collection(ask, 'roles', { rows, more: false }, roleView(ask))
            },
          }),
        ]),
    endpoint({
      on: `GET ${base}/{role_id}${tail}`,
      policy: rule('check'),
      summary: `Check a role of a ${actor} on ${what}`,
      ...about,
      handle: assertGiven,
    }),
    endpoint({
      on: `PUT ${base}/{role_id}${tail}`,
      policy: rule('create'),
      summary: `Give a ${actor} a role on ${what}`,
      ...about,
      handle: async (ask) => assignments.grant(assignment(ask)),
    }),
    endpoint({
      on: `DELETE ${base}/{role_id}${tail}`,
      policy: rule('revoke'),
      summary: `Take a role of a ${actor} on ${what}`,
      ...about,
      handle: async (ask) => assignments.revoke(assignment(ask, true)),
    }),
  ]
}
