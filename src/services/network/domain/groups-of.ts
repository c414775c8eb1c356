import type { Network, SecurityGroup } from '../contract.ts'
import { securityGroups } from './server-groups.ts'
import type { Store } from './store.ts'

/** All groups of a project with their rules: two statements, however many there are. */
export const securityGroupsOf =
  (store: Store): Network['securityGroupsOf'] =>
  async ({ projectId }) => {
    await securityGroups(store)({ projectId, names: ['default'] })
    const groups = await store.read
      .selectFrom('network_group')
      .selectAll()
      .where('project_id', '=', projectId)
      .orderBy('name')
      .orderBy('id')
      .execute()
    const ids = groups.map((group) => group.id)
    const rules = await store.read.selectFrom('network_rule').selectAll().where('group_id', 'in', ids).orderBy('id').execute()
    return groups.map(
      ({ id, name, description }): SecurityGroup => ({
        id,
        name,
        description,
        projectId,
        rules: rules
          .filter((rule) => rule.group_id === id)
          .map((rule) => ({
            id: rule.id,
            direction: rule.direction,
            protocol: rule.protocol,
            portMin: rule.port_min,
            portMax: rule.port_max,
            remotePrefix: rule.remote_prefix,
            remoteGroupId: rule.remote_group_id,
          })),
      }),
    )
  }
