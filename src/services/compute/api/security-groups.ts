import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Network, SecurityGroup } from '../../network/contract.ts'

const any = (port: number) => (port < 0 ? null : port)

/** Compute knew inbound rules only, and groups by name. */
function shown(group: SecurityGroup, all: SecurityGroup[]) {
  const named = (id: string) => {
    const other = all.find((one) => one.id === id)
    return other ? { name: other.name, tenant_id: other.projectId } : {}
  }
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    tenant_id: group.projectId,
    rules: group.rules
      .filter((rule) => rule.direction === 'ingress')
      .map((rule) => ({
        id: rule.id,
        parent_group_id: group.id,
        ip_protocol: rule.protocol || null,
        from_port: any(rule.portMin),
        to_port: any(rule.portMax),
        ip_range: rule.remoteGroupId === '' ? { cidr: rule.remotePrefix || '0.0.0.0/0' } : {},
        group: named(rule.remoteGroupId),
      })),
  }
}

/**
 * The network's groups, as compute showed them until 2.35. Of its proxies only these are here: the `openstack` client of Debian 12 finds groups
 * by them for `server add security group`.
 */
export function securityGroupEndpoints(network: () => Network): Endpoint[] {
  const all = (projectId: string | undefined) =>
    projectId === undefined ? Promise.resolve([]) : network().securityGroupsOf({ projectId })
  return [
    endpoint({
      on: 'GET /os-security-groups',
      policy: 'os_compute_api:os-security-groups:get',
      until: '2.35',
      async handle({ caller }) {
        const groups = await all(caller.projectId)
        return { security_groups: groups.map((group) => shown(group, groups)) }
      },
    }),
    endpoint({
      on: 'GET /os-security-groups/{security_group_id}',
      policy: 'os_compute_api:os-security-groups:show',
      until: '2.35',
      async handle({ caller, params }) {
        const groups = await all(caller.projectId)
        const group = groups.find((one) => one.id === params['security_group_id'])
        if (!group) throw new Problem('not-found', `Security group ${params['security_group_id']} not found.`)
        return { security_group: shown(group, groups) }
      },
    }),
  ]
}
