import type { Clock } from '../../../../kit/clock.ts'
import { fromJson } from '../../../../kit/db/columns.ts'
import type { IdentityTx } from '../../tables.ts'
import { as, lose } from './lose.ts'

/**
 * After the options of a domain changed: everybody of its directory must be seen again before anything else is believed of them; without
 * one they are gone (and come back with it, by the same ids). False: the domain has people of its own, and cannot have a directory.
 */
export async function directoryChanged(tx: IdentityTx, domainId: string, clock: Clock): Promise<boolean> {
  const driver = await tx
    .selectFrom('identity_domain_option')
    .select('value')
    .where('domain_id', '=', domainId)
    .where('group_name', '=', 'identity')
    .where('option_name', '=', 'driver')
    .executeTakeFirst()
  const isDirectory = driver !== undefined && fromJson(driver.value) === 'ldap'
  for (const table of ['identity_user', 'identity_group'] as const) {
    const people = tx.selectFrom(as(table)).select(['id', 'local_id', 'gone']).where('domain_id', '=', domainId)
    const rows = await people.execute()
    if (isDirectory && rows.some((row) => row.local_id === '')) return false
    await tx.updateTable(as(table)).set({ seen_at: 0 }).where('domain_id', '=', domainId).execute()
    const lost = isDirectory ? [] : rows.filter((row) => row.local_id !== '' && row.gone === 0)
    for (const { id } of lost) await lose(tx, table, id, clock)
  }
  return true
}
