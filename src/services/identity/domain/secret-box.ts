import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Clock } from '../../../kit/clock.ts'
import type { IdentityTx } from '../tables.ts'
import type { Reader } from './names.ts'
import type { Store } from './store.ts'

/** Seals what must be readable again: credentials and sensitive options. AES-256-GCM; `name` ties a text to its row. */
export type SecretBox = {
  seal(tx: IdentityTx, name: string, text: string): Promise<string>
  /** Throws when no key opens it: the key was lost, or the row is not what it was. */
  open(read: Reader, name: string, sealed: string): Promise<string>
  /** A new key, with which everything is sealed again; the old ones are forgotten. */
  rotate(): Promise<void>
}

/**
 * `outside`: keys of 32 bytes in base64url that are not kept in the database, the sealing one first, so that a copy of the database gives nothing away.
 * Without any, keys are rows, and sealing keeps secrets out of what is shown or logged by accident only.
 */
export function openSecretBox(store: Store, clock: Clock, outside: string[] = []): SecretBox {
  const keysIn = async (read: Reader): Promise<Buffer[]> => {
    const rows = await read.selectFrom('identity_secret_key').select('secret').orderBy('number', 'desc').execute()
    return [...outside, ...rows.map((row) => row.secret)].map((key) => Buffer.from(key, 'base64url'))
  }
  const addKey = async (tx: IdentityTx): Promise<Buffer> => {
    const last = await tx.selectFrom('identity_secret_key').select('number').orderBy('number', 'desc').executeTakeFirst()
    const key = randomBytes(32)
    const row = { number: (last?.number ?? 0) + 1, secret: key.toString('base64url'), created_at: clock.now() }
    await tx.insertInto('identity_secret_key').values(row).execute()
    return key
  }
  const seal = (key: Buffer, name: string, text: string): string => {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name))
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
  }
  return {
    seal: async (tx, name, text) => seal((await keysIn(tx))[0] ?? (await addKey(tx)), name, text),
    open: async (read, name, sealed) => unseal(await keysIn(read), name, sealed),
    rotate: () =>
      store.write(async (tx) => {
        const old = await keysIn(tx)
        const key = outside[0] === undefined ? await addKey(tx) : Buffer.from(outside[0], 'base64url')
        for (const row of await tx.selectFrom('identity_credential').select(['id', 'blob']).execute())
          await tx
            .updateTable('identity_credential')
            .set({ blob: seal(key, row.id, unseal(old, row.id, row.blob)) })
            .where('id', '=', row.id)
            .execute()
        const options = tx.selectFrom('identity_domain_option').selectAll().where('sensitive', '=', 1)
        for (const row of await options.execute())
          await tx
            .updateTable('identity_domain_option')
            .set({ value: seal(key, row.domain_id, unseal(old, row.domain_id, row.value)) })
            .where('domain_id', '=', row.domain_id)
            .where('group_name', '=', row.group_name)
            .where('option_name', '=', row.option_name)
            .execute()
        await tx.deleteFrom('identity_secret_key').where('secret', '!=', key.toString('base64url')).execute()
      }),
  }
}

function unseal(keys: Buffer[], name: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  for (const key of keys) {
    try {
      const opened = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      opened.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-16))
      return Buffer.concat([opened.update(bytes.subarray(12, -16)), opened.final()]).toString('utf8')
    } catch {
      // Another key's, then.
    }
  }
  throw new Error(`no key opens the secret of ${name}`)
}
