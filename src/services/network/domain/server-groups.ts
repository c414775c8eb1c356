import { Problem } from '../../../kit/errors.ts'
import { isUuid } from '../../../kit/ids.ts'
import type { Network } from '../contract.ts'
import { groupsOf, putGroups } from './ports.ts'
import { portRipple } from './ripples.ts'
import { ensureDefaultGroup } from './security-groups.ts'
import { ownPorts } from './server-ports.ts'
import type { Store } from './store.ts'

export const securityGroups =
  (store: Store) =>
  async ({ projectId, names }: { projectId: string; names: string[] }): Promise<{ id: string; name: string }[]> => {
    const wanted = [...new Set(names)]
    if (wanted.includes('default')) await store.change((change) => ensureDefaultGroup(change, projectId))
    const groups = await store.read
      .selectFrom('network_group')
      .select(['id', 'name'])
      .where('project_id', '=', projectId)
      .execute()
    return wanted.map((name) => {
      const byId = groups.find((group) => isUuid(name) && group.id === name)
      const named = byId ? [byId] : groups.filter((group) => group.name === name)
      if (named.length === 0) throw new Problem('invalid', `Security group ${name} not found for project ${projectId}.`)
      if (named.length > 1)
        throw new Problem('invalid', `Multiple security groups found matching '${name}'. Use an ID to be more specific.`)
      return named[0]!
    })
  }

export const changeSecurityGroup =
  (store: Store) =>
  async ({ owner, projectId, group, add }: Parameters<Network['changeSecurityGroup']>[0]): Promise<void> => {
    const [found] = await securityGroups(store)({ projectId, names: [group] }).catch((error: unknown) => {
      if (error instanceof Problem && error.kind === 'invalid') throw new Problem('not-found', error.message)
      throw error
    })
    await store.change(async (change) => {
      const ports = (await ownPorts(change.tx, owner)).filter((port) => port.port_security === 1)
      if (add && ports.length === 0)
        throw new Problem('conflict', `Server ${owner} has no port that could take security group ${group}.`)
      let changed = 0
      for (const { made, ...port } of ports) {
        const now = await groupsOf(change.tx, port.id)
        if (now.includes(found!.id) === add) continue
        changed++
        await putGroups(change, port.id, add ? [...now, found!.id] : now.filter((id) => id !== found!.id))
        await portRipple(change, port, [found!.id])
      }
      if (!add && changed === 0)
        throw new Problem('not-found', `Security group ${group} is not associated with the instance ${owner}.`)
    })
  }
