import { type FilterOp, type Listing, listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db } from '../../../kit/db/open.ts'
import type { ComputeTables, ServerRow } from '../tables.ts'
import { type Server, serverOf } from './server.ts'

export type ServerColumn = keyof ServerRow

export const serverListing: Listing<ServerColumn> = listing<ServerColumn>({
  filters: {},
  sorts: {
    access_ip_v4: 'access_ip_v4',
    access_ip_v6: 'access_ip_v6',
    auto_disk_config: 'disk_config',
    availability_zone: 'zone',
    config_drive: 'config_drive',
    created_at: 'created_at',
    display_name: 'name',
    host: 'host',
    hostname: 'hostname',
    image_ref: 'image_id',
    instance_type_id: 'flavor_id',
    key_name: 'key_name',
    launch_index: 'launch_index',
    launched_at: 'launched_at',
    locked: 'locked',
    locked_by: 'locked_by',
    node: 'host',
    power_state: 'power_state',
    progress: 'progress',
    project_id: 'project_id',
    task_state: 'task_state',
    terminated_at: 'terminated_at',
    updated_at: 'updated_at',
    user_id: 'user_id',
    uuid: 'id',
    vm_state: 'vm_state',
  },
  defaultSort: [['created_at', 'desc']],
  key: 'id',
})

export type Condition = { column: ServerColumn; op: FilterOp; values: (string | number)[] }

export type ServerSelection = {
  /** Whose; both undefined: everybody's. */
  projectId: string | undefined
  userId: string | undefined
  conditions: Condition[]
  /** Any of these states, each with its tasks (none: any task). */
  states: { vmState: string; taskStates: string[] | undefined }[] | undefined
  /** undefined: both. */
  deleted: boolean | undefined
  ids: string[] | undefined
  tags: { all: string[]; any: string[]; notAll: string[]; notAny: string[] }
}

/** One page of servers: filters, order and page in one statement. */
export async function listServers(
  db: Db<ComputeTables>,
  selection: ServerSelection,
  ask: PageAsk<ServerColumn>,
): Promise<{ servers: Server[]; more: boolean }> {
  let query = db.read.selectFrom('compute_server').selectAll()
  const { projectId, userId, deleted, ids, states, tags } = selection
  if (projectId !== undefined) query = query.where('project_id', '=', projectId)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (deleted !== undefined) query = query.where('deleted', '=', deleted ? 1 : 0)
  if (ids !== undefined) query = ids.length === 0 ? query.where('id', '=', '') : query.where('id', 'in', ids)
  if (states !== undefined)
    query = query.where((eb) =>
      eb.or(
        states.map(({ vmState, taskStates }) =>
          taskStates === undefined
            ? eb('vm_state', '=', vmState)
            : eb.and([eb('vm_state', '=', vmState), eb('task_state', 'in', taskStates)]),
        ),
      ),
    )
  const tagged = (wanted: string[], count: number, not: boolean) => {
    query = query.where((eb) => {
      const holders = eb
        .selectFrom('compute_server_tag')
        .select('server_id')
        .where('tag', 'in', wanted)
        .groupBy('server_id')
        .having((having) => having.fn.countAll<number>(), '>=', count)
      return eb('id', not ? 'not in' : 'in', holders)
    })
  }
  if (tags.all.length > 0) tagged(tags.all, new Set(tags.all).size, false)
  if (tags.any.length > 0) tagged(tags.any, 1, false)
  if (tags.notAll.length > 0) tagged(tags.notAll, new Set(tags.notAll).size, true)
  if (tags.notAny.length > 0) tagged(tags.notAny, 1, true)
  const { rows, more } = await page(query, serverListing, { ...ask, filters: selection.conditions })
  return { servers: rows.map(serverOf), more }
}
