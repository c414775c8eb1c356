import type { Endpoint } from '../../../kit/http/endpoint.ts'

const rel = 'https://docs.openstack.org/api/openstack-identity/3/rel/'
const param = 'https://docs.openstack.org/api/openstack-identity/3/param/'

/** Names of paths that do not follow from the path. */
const names: Record<string, string> = {
  '/auth/tokens': 'auth_tokens',
  '/auth/catalog': 'auth_catalog',
  '/auth/projects': 'auth_projects',
  '/auth/domains': 'auth_domains',
  '/auth/system': 'auth_system',
  '/users/{user_id}/password': 'user_change_password',
  '/users/{user_id}/projects': 'user_projects',
  '/users/{user_id}/groups': 'user_groups',
  '/groups/{group_id}/users': 'group_users',
  '/groups/{group_id}/users/{user_id}': 'group_user',
  '/projects/{project_id}/tags': 'project_tags',
  '/projects/{project_id}/tags/{value}': 'project_tag',
  '/roles/{prior_role_id}/implies': 'implied_roles',
  '/roles/{prior_role_id}/implies/{implies_role_id}': 'implied_role',
  '/role_inferences': 'role_inferences',
  '/role_assignments': 'role_assignments',
}

/** All resources by their relation: what the paths are comes from the endpoints themselves. */
export function jsonHome(endpoints: Endpoint[], prefix: string): { resources: Record<string, object> } {
  const resources: Record<string, object> = {}
  for (const path of [...new Set(endpoints.map((one) => one.path))].filter((one) => !one.startsWith('//'))) {
    const variables = [...path.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]!)
    resources[`${relationBase(path)}${names[path] ?? nameOf(path)}`] =
      variables.length === 0
        ? { href: prefix + path }
        : {
            'href-template': prefix + path,
            'href-vars': Object.fromEntries(variables.map((name) => [name, param + parameter(name)])),
          }
  }
  return { resources }
}

const relationBase = (path: string): string =>
  path.startsWith('/OS-INHERIT/') ? 'https://docs.openstack.org/api/openstack-identity/3/ext/OS-INHERIT/1.0/rel/' : rel

const parameter = (name: string): string => {
  if (name === 'value') return 'tag_value'
  return name.endsWith('role_id') ? 'role_id' : name
}

/** `/projects` is `projects`, `/projects/{project_id}` is `project`, `/projects/{project_id}/users/{user_id}/roles` is `project_user_roles`. */
function nameOf(path: string): string {
  const steps = path.replace('/OS-INHERIT', '').slice(1).split('/')
  const words = steps.flatMap((step, at) => {
    if (step.startsWith('{')) return []
    const isMember = steps[at + 1]?.startsWith('{') ?? false
    return [isMember ? step.replace(/s$/, '') : step]
  })
  return words.join('_')
}
