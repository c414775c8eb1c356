import type { Clock } from '../../../kit/clock.ts'
import { context } from '../../../kit/context.ts'
import { type Listing, listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { requestId } from '../../../kit/ids.ts'
import type { ActionRow, ComputeTables } from '../tables.ts'

export type Happening = {
  serverId: string
  action: string
  userId: string
  projectId: string
  host?: string
  /** The event's name; none: the action is done when it is recorded. */
  event?: string
}

export type InstanceActions = ReturnType<typeof openInstanceActions>

export const actionListing: Listing<keyof ActionRow> = listing<keyof ActionRow>({
  filters: {},
  sorts: {},
  defaultSort: [['started_at', 'desc']],
  key: 'request_id',
})

/** What was asked of a server, by whom, and how it ended. */
export function openInstanceActions(db: Db<ComputeTables>, clock: Clock) {
  const ofServer = (serverId: string) => db.read.selectFrom('compute_action').selectAll().where('server_id', '=', serverId)
  return {
    async record(tx: Tx<ComputeTables>, happening: Happening): Promise<void> {
      const at = clock.now()
      await tx
        .insertInto('compute_action')
        .values({
          server_id: happening.serverId,
          request_id: context().requestId ?? requestId(),
          action: happening.action,
          user_id: happening.userId,
          project_id: happening.projectId,
          message: null,
          started_at: at,
          updated_at: at,
          event: happening.event ?? '',
          event_started_at: at,
          event_finished_at: 0,
          event_result: '',
          event_details: '',
          host: happening.host ?? '',
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    /** Ends what is under way for the server. `failure`: the sentence for the user. */
    async finish(tx: Tx<ComputeTables>, serverId: string, host: string, failure?: string): Promise<void> {
      const at = clock.now()
      await tx
        .updateTable('compute_action')
        .set({
          event_finished_at: at,
          updated_at: at,
          event_result: failure === undefined ? 'Success' : 'Error',
          event_details: failure ?? '',
          ...(host === '' ? {} : { host }),
          ...(failure === undefined ? {} : { message: 'Error' }),
        })
        .where('server_id', '=', serverId)
        .where('event', '<>', '')
        .where('event_finished_at', '=', 0)
        .execute()
    },
    async list(
      serverId: string,
      ask: PageAsk<keyof ActionRow>,
      times: { since: number | undefined; before: number | undefined },
    ): Promise<{ rows: ActionRow[]; more: boolean }> {
      let query = ofServer(serverId)
      if (times.since !== undefined) query = query.where('updated_at', '>=', times.since)
      if (times.before !== undefined) query = query.where('updated_at', '<=', times.before)
      return page(query, actionListing, ask)
    },
    find: (serverId: string, request: string): Promise<ActionRow | undefined> =>
      ofServer(serverId).where('request_id', '=', request).executeTakeFirst(),
  }
}
