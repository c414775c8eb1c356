import type { Endpoint } from '../../../kit/http/endpoint.ts'

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
  '/policies/{policy_id}': 'policy',
  '/limits/model': 'limit_model',
  '/users/{user_id}/application_credentials': 'application_credentials',
  '/users/{user_id}/application_credentials/{application_credential_id}': 'application_credential',
  '/users/{user_id}/access_rules': 'access_rules',
  '/users/{user_id}/access_rules/{access_rule_id}': 'access_rule',
  '/users/{user_id}/credentials/OS-EC2': 'user_credentials',
  '/users/{user_id}/credentials/OS-EC2/{credential_id}': 'user_credential',
  '/OS-TRUST/trusts/{trust_id}/roles': 'trust_roles',
  '/OS-TRUST/trusts/{trust_id}/roles/{role_id}': 'trust_role',
  '/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints': 'endpoints_in_endpoint_group',
  '/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects': 'projects_associated_with_endpoint_group',
  '/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}': 'endpoint_group_to_project_association',
  '/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints': 'policy_endpoints',
  '/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}': 'endpoint_policy_association',
  '/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}': 'service_policy_association',
  '/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}': 'region_and_service_policy_association',
  '/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy': 'endpoint_policy',
  '/domains/config/default': 'domain_config_default',
  '/domains/config/{group}/default': 'domain_config_default_group',
  '/domains/config/{group}/{option}/default': 'domain_config_default_option',
  '/domains/{domain_id}/config': 'domain_config',
  '/domains/{domain_id}/config/{group}': 'domain_config_group',
  '/domains/{domain_id}/config/{group}/{option}': 'domain_config_option',
}

/** Paths that are others in another guise. */
const unlisted = [
  '/domains/{domain_id}/config/security_compliance',
  '/domains/{domain_id}/config/security_compliance/{option}',
  '/policies/{policy_id}/OS-ENDPOINT-POLICY/policy',
]

/** All resources by their relation: what the paths are comes from the endpoints themselves. */
export function jsonHome(endpoints: Endpoint[], prefix: string): { resources: Record<string, object> } {
  const resources: Record<string, object> = {}
  for (const path of [...new Set(endpoints.map((one) => one.path))].filter(
    (one) => !one.startsWith('//') && !unlisted.includes(one),
  )) {
    const variables = [...path.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]!)
    resources[`${relationBase(path)}${names[path] ?? nameOf(path)}`] =
      variables.length === 0
        ? { href: prefix + path }
        : {
            'href-template': prefix + path,
            'href-vars': Object.fromEntries(variables.map((name) => [name, parameter(name)])),
          }
  }
  return { resources }
}

const extensions = ['OS-INHERIT', 'OS-TRUST', 'OS-EP-FILTER', 'OS-EC2', 'OS-REVOKE', 'OS-ENDPOINT-POLICY', 's3tokens']

/** The extension a path belongs to, as old clients know it. */
const extensionOf = (path: string): string | undefined =>
  path === '/ec2tokens' ? 'OS-EC2' : extensions.find((name) => path.split('/').includes(name))

const base = 'https://docs.openstack.org/api/openstack-identity/3/'

const relationBase = (path: string): string => {
  const extension = extensionOf(path)
  return extension === undefined ? `${base}rel/` : `${base}ext/${extension}/1.0/rel/`
}

const otherParameters: Record<string, string> = {
  value: 'param/tag_value',
  group: 'param/config_group',
  option: 'param/config_option',
  trust_id: 'ext/OS-TRUST/1.0/param/trust_id',
  endpoint_group_id: 'ext/OS-EP-FILTER/1.0/param/endpoint_group_id',
}

const parameter = (name: string): string =>
  base + (otherParameters[name] ?? `param/${name.endsWith('role_id') ? 'role_id' : name}`)

/** `/projects` is `projects`, `/projects/{project_id}` is `project`, `/projects/{project_id}/users/{user_id}/roles` is `project_user_roles`. */
function nameOf(path: string): string {
  const steps = path
    .replace(/\/OS-[A-Z-]+/, '')
    .slice(1)
    .split('/')
  const words = steps.flatMap((step, at) => {
    if (step.startsWith('{')) return []
    const isMember = steps[at + 1]?.startsWith('{') ?? false
    return [isMember ? step.replace(/s$/, '') : step]
  })
  return words.join('_')
}
