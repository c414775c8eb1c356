import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Clock } from '../../../kit/clock.ts'
import { listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { hexId } from '../../../kit/ids.ts'
import type { IdentityTables, IdentityTx } from '../tables.ts'
import { noLimit, type Page } from './lists.ts'
import { couldNotFind, existing, type Reader } from './names.ts'
import { expecting } from './refusals.ts'
import type { SecretBox } from './secret-box.ts'
import type { Store } from './store.ts'

/** Something secret of a user, sealed at rest: a pair of EC2 keys (`blob` is JSON with access and secret), a TOTP seed, or what clients like. */
export type Credential = {
  id: string
  userId: string
  /** Empty: none. */
  projectId: string
  type: string
  blob: string
}

/** Two keys with which a program signs its requests, in a user's name and for one project. */
export type Ec2Keys = { access: string; secret: string; userId: string; projectId: string }

export const credentialListing = listing<string>({
  filters: { user_id: { column: 'user_id' }, type: { column: 'type' } },
  sorts: { id: 'id', type: 'type', user_id: 'user_id' },
  defaultSort: [['created_at', 'asc']],
  key: 'id',
  maxLimit: noLimit,
})

export type Credentials = {
  find(id: string): Promise<Credential | undefined>
  /** Of one user when that is given. */
  list(ask: PageAsk<string>, ownerId?: string): Promise<Page<Credential>>
  create(credential: Omit<Credential, 'id'>): Promise<Credential>
  update(id: string, next: Omit<Credential, 'id'>, how: { keepsAccess: boolean }): Promise<Credential>
  remove(id: string): Promise<void>
  blobsOf(userId: string, type: string): Promise<string[]>
  findEc2(access: string): Promise<Ec2Keys | undefined>
  listEc2(userId: string): Promise<Ec2Keys[]>
}

/** EC2 keys are found by the half that is no secret. */
export const ec2Id = (access: string): string => createHash('sha256').update(access).digest('hex')

type Row = Selectable<IdentityTables['identity_credential']>

export function openCredentials(store: Store, box: SecretBox, clock: Clock): Credentials {
  const opened = async (read: Reader, row: Row): Promise<Credential> => ({
    id: row.id,
    userId: row.user_id,
    projectId: row.project_id,
    type: row.type,
    blob: await box.open(read, row.id, row.blob),
  })
  const find = async (read: Reader, id: string): Promise<Credential | undefined> => {
    const row = await read.selectFrom('identity_credential').selectAll().where('id', '=', id).executeTakeFirst()
    return row && opened(read, row)
  }
  const ofUser = async (userId: string, type: string): Promise<Credential[]> => {
    const query = store.read.selectFrom('identity_credential').selectAll().where('user_id', '=', userId)
    const rows = await query.where('type', '=', type).orderBy('created_at').execute()
    return Promise.all(rows.map((row) => opened(store.read, row)))
  }
  return {
    find: (id) => find(store.read, id),
    async list(ask, ownerId) {
      let query = store.read.selectFrom('identity_credential').selectAll()
      if (ownerId !== undefined) query = query.where('user_id', '=', ownerId)
      const { rows, more } = await page(query, credentialListing, ask)
      return { rows: await Promise.all(rows.map((row) => opened(store.read, row))), more }
    },
    create: (ask) =>
      store.write(async (tx) => {
        const credential = { ...ask, id: ask.type === 'ec2' ? ec2Id(ec2Blob(ask.blob).access) : hexId() }
        await assertOwner(tx, credential)
        if (await find(tx, credential.id))
          throw new Problem('conflict', 'Conflict occurred attempting to store credential - Duplicate entry found.')
        const { id, userId: user_id, projectId: project_id, type } = credential
        const row = { id, user_id, project_id, type, blob: await box.seal(tx, id, ask.blob), created_at: clock.now() }
        await tx.insertInto('identity_credential').values(row).execute()
        return credential
      }),
    update: (id, ask, { keepsAccess }) =>
      store.write(async (tx) => {
        const old = existing(await find(tx, id), 'credential', id)
        const access = ask.type === 'ec2' ? ec2Blob(ask.blob).access : undefined
        if (old.type === 'ec2' && keepsAccess && access !== ec2Blob(old.blob).access)
          throw new Problem('invalid', 'access can not be updated for credential')
        const next = { ...ask, id }
        await assertOwner(tx, next)
        await tx
          .updateTable('identity_credential')
          .set({ type: next.type, project_id: next.projectId, blob: await box.seal(tx, id, next.blob) })
          .where('id', '=', id)
          .execute()
        return next
      }),
    remove: (id) =>
      store.write(async (tx) => {
        const removed = await tx.deleteFrom('identity_credential').where('id', '=', id).executeTakeFirst()
        if (removed.numDeletedRows === 0n) throw couldNotFind('credential', id)
      }),
    blobsOf: async (userId, type) => (await ofUser(userId, type)).map((one) => one.blob),
    async findEc2(access) {
      const found = await find(store.read, ec2Id(access))
      const keys = found?.type === 'ec2' ? keysOf(found) : undefined
      return keys?.access === access ? keys : undefined
    },
    listEc2: async (userId) => (await ofUser(userId, 'ec2')).map(keysOf),
  }
}

const keysOf = ({ userId, projectId, blob }: Credential): Ec2Keys => ({ ...ec2Blob(blob), userId, projectId })

/**
 * Throws invalid. A pair of keys always stands for its user itself, so it names no trust and nothing else whose power it would borrow: who
 * writes it is not who gave that.
 */
function ec2Blob(text: string): { access: string; secret: string } {
  const blob = parsed(text)
  const { access, secret } = blob
  if (typeof access !== 'string' || access === '') throw expecting('access', 'credential')
  for (const key of ['trust_id', 'app_cred_id', 'access_token_id'])
    if (blob[key] !== undefined && blob[key] !== null) throw new Problem('invalid', `${key} can not be set for credential`)
  return { access, secret: typeof secret === 'string' ? secret : '' }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const blob: unknown = JSON.parse(text)
    if (typeof blob === 'object' && blob !== null && !Array.isArray(blob)) return blob as Record<string, unknown>
  } catch {
    throw new Problem('invalid', 'Invalid blob in credential')
  }
  throw expecting('blob', 'credential')
}

async function assertOwner(tx: IdentityTx, { userId, projectId }: Credential): Promise<void> {
  const user = tx.selectFrom('identity_user').select('id').where('id', '=', userId)
  existing(await user.executeTakeFirst(), 'user', userId)
  if (projectId === '') return
  const project = tx.selectFrom('identity_project').select('id').where('id', '=', projectId)
  existing(await project.executeTakeFirst(), 'project', projectId)
}
