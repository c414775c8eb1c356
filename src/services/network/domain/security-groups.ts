import { sql } from 'kysely'
import { toBit } from '../../../kit/db/columns.ts'
import type { GroupRow } from '../tables.ts'
import { fault, noGroup } from './faults.ts'
import { insertRule } from './security-rules.ts'
import { given, newborn } from './standard.ts'
import type { Change } from './store.ts'

export type GroupAsk = { name: string; description?: string | undefined }

export type GroupPatch = { [Name in keyof GroupAsk]?: GroupAsk[Name] | undefined }

/** A group lets everything out. Groups are counted, and so are the rules they are born with. */
export async function createGroup(change: Change, projectId: string, ask: GroupAsk): Promise<GroupRow> {
  if (ask.name === 'default')
    throw fault('conflict', 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.')
  await ensureDefaultGroup(change, projectId)
  await change.quota.allow(change.tx, projectId, { security_group: 1 })
  const group = await insertGroup(change, projectId, ask, false)
  for (const ethertype of ['IPv4', 'IPv6'] as const) await insertRule(change, group, { direction: 'egress', ethertype })
  return group
}

const insertGroup = async (change: Change, projectId: string, ask: GroupAsk, isDefault: boolean): Promise<GroupRow> => {
  const { name, description = '' } = ask
  const row: GroupRow = {
    ...newborn(change.now(), projectId, { name, description }),
    is_default: toBit(isDefault),
  }
  await change.tx.insertInto('network_group').values(row).execute()
  return row
}

/** The project's default group, made when it is not there: everything out, and everything in from its own members. */
export async function ensureDefaultGroup(change: Change, projectId: string): Promise<string> {
  const { tx } = change
  const find = () =>
    tx.selectFrom('network_group').select('id').where('project_id', '=', projectId).where('is_default', '=', 1).executeTakeFirst()
  const known = await find()
  if (known) return known.id
  const row: GroupRow = {
    ...newborn(change.now(), projectId, { name: 'default', description: 'Default security group' }),
    is_default: 1,
  }
  const made = await tx
    .insertInto('network_group')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!made) return (await find())!.id
  for (const ethertype of ['IPv4', 'IPv6'] as const) {
    await insertRule(change, made, { direction: 'ingress', ethertype, remoteGroupId: made.id })
    await insertRule(change, made, { direction: 'egress', ethertype })
  }
  return made.id
}

export async function updateGroup(change: Change, group: GroupRow, patch: GroupPatch): Promise<GroupRow> {
  if (group.is_default === 1 && patch.name !== undefined && patch.name !== 'default')
    throw fault('conflict', 'SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.')
  if (group.is_default === 0 && patch.name === 'default')
    throw fault('conflict', 'SecurityGroupDefaultAlreadyExists', 'Default security group already exists.')
  const row = await change.tx
    .updateTable('network_group')
    .set({
      ...given<GroupRow>({
        name: patch.name,
        description: patch.description,
      }),
      updated_at: change.now(),
      revision: sql<number>`revision + 1`,
    })
    .where('id', '=', group.id)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noGroup(group.id)
  return row
}

export async function deleteGroup(change: Change, group: GroupRow, isAdmin: boolean): Promise<void> {
  const { tx } = change
  if (group.is_default === 1 && !isAdmin)
    throw fault('conflict', 'SecurityGroupCannotRemoveDefault', 'Insufficient rights for removing default security group.')
  const inUse = () => fault('conflict', 'SecurityGroupInUse', `Security Group ${group.id} in use.`)
  if (await tx.selectFrom('network_port_group').select('port_id').where('group_id', '=', group.id).limit(1).executeTakeFirst())
    throw inUse()
  // Rules of other groups that let this one in go with it: they would let in nobody.
  await tx
    .deleteFrom('network_rule')
    .where((eb) => eb.or([eb('group_id', '=', group.id), eb('remote_group_id', '=', group.id)]))
    .execute()
  await tx.deleteFrom('network_tag').where('resource_id', '=', group.id).execute()
  await tx.deleteFrom('network_group').where('id', '=', group.id).execute()
}
