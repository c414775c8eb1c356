import type { Clock } from '../../../kit/clock.ts'
import { fromJson, toJson } from '../../../kit/db/columns.ts'
import { type Listing, listing, type PageAsk, page } from '../../../kit/db/listing.ts'
import type { Db, Tx } from '../../../kit/db/open.ts'
import { Problem } from '../../../kit/errors.ts'
import type { MetadefTables } from './tables.ts'

export type Namespace = {
  namespace: string
  displayName: string
  description: string
  visibility: 'public' | 'private'
  isProtected: boolean
  ownerId: string
  createdAt: number
  updatedAt: number
}
export type NamespaceFacts = Omit<Namespace, 'createdAt' | 'updatedAt'>

export type PartKind = 'object' | 'property' | 'tag'
/** `body` is what the kind has beside its name. */
export type Part = { name: string; body: Record<string, unknown>; createdAt: number; updatedAt: number }
export type NewPart = Pick<Part, 'name' | 'body'>

export type Association = { name: string; prefix: string; target: string; createdAt: number; updatedAt: number }
export type NewAssociation = Pick<Association, 'name' | 'prefix' | 'target'>

export type NamespaceFilter = { visibility?: string; resourceTypes?: string[] }

const times = { created_at: 'created_at', updated_at: 'updated_at' } as const

export const namespaceListing = listing<string>({
  filters: {},
  sorts: { namespace: 'namespace', display_name: 'display_name', ...times },
  defaultSort: [['created_at', 'desc']],
  key: 'namespace',
})
export const partListing = listing<string>({
  filters: {},
  sorts: { name: 'name', ...times },
  defaultSort: [['created_at', 'desc']],
  key: 'name',
})

export type Metadefs = ReturnType<typeof openMetadefs>

type T = Tx<MetadefTables>
const tables = ['image_md_part', 'image_md_association'] as const

/** The catalogue of what properties mean: namespaces with objects, properties and tags, and the types of resources they are for. */
export function openMetadefs(db: Db<MetadefTables>, clock: Clock) {
  const conflict = (what: string) => new Problem('conflict', `${what} already exists.`)

  const putPart = async (tx: T, namespace: string, kind: PartKind, { name, body }: NewPart) => {
    const now = clock.now()
    const made = await tx
      .insertInto('image_md_part')
      .values({ namespace, kind, name, body: toJson(body), created_at: now, updated_at: now })
      .onConflict((on) => on.doNothing())
      .returning('name')
      .executeTakeFirst()
    if (!made) throw conflict(`A ${kind} named ${name} in namespace ${namespace}`)
  }

  const associate = async (tx: T, namespace: string, { name, prefix, target }: NewAssociation) => {
    const now = clock.now()
    await tx
      .insertInto('image_md_resource_type')
      .values({ name, created_at: now, updated_at: now })
      .onConflict((on) => on.doNothing())
      .execute()
    const made = await tx
      .insertInto('image_md_association')
      .values({ namespace, name, prefix, properties_target: target, created_at: now, updated_at: now })
      .onConflict((on) => on.doNothing())
      .returning('name')
      .executeTakeFirst()
    if (!made) throw conflict(`The association of ${name} with namespace ${namespace}`)
  }

  const find = async (namespace: string): Promise<Namespace | undefined> => {
    const row = await db.read.selectFrom('image_md_namespace').selectAll().where('namespace', '=', namespace).executeTakeFirst()
    return row && namespaceOf(row)
  }
  const partsOf = (namespace: string, kind: PartKind) =>
    db.read.selectFrom('image_md_part').selectAll().where('namespace', '=', namespace).where('kind', '=', kind)

  return {
    find,

    /** Of what the viewer may see: public ones and those of its project, or all. */
    async list(viewer: { projectId: string | undefined; isAdmin: boolean }, filter: NamespaceFilter, ask: PageAsk<string>) {
      let query = db.read.selectFrom('image_md_namespace').selectAll()
      if (!viewer.isAdmin)
        query = query.where((eb) => eb.or([eb('visibility', '=', 'public'), eb('owner_id', '=', viewer.projectId ?? '')]))
      if (filter.visibility !== undefined) query = query.where('visibility', '=', filter.visibility)
      if (filter.resourceTypes !== undefined) {
        const names = filter.resourceTypes
        query = query.where('namespace', 'in', (eb) =>
          eb.selectFrom('image_md_association').select('image_md_association.namespace').where('name', 'in', names),
        )
      }
      const { rows, more } = await page(query, namespaceListing, ask)
      return { namespaces: rows.map(namespaceOf), more }
    },

    async create(facts: NamespaceFacts, parts: Record<PartKind, NewPart[]>, associations: NewAssociation[]): Promise<Namespace> {
      const now = clock.now()
      await db.transaction(async (tx) => {
        const made = await tx
          .insertInto('image_md_namespace')
          .values({ ...rowOf(facts), created_at: now, updated_at: now })
          .onConflict((on) => on.doNothing())
          .returning('namespace')
          .executeTakeFirst()
        if (!made) throw conflict(`Namespace ${facts.namespace}`)
        for (const kind of ['object', 'property', 'tag'] as const)
          for (const part of parts[kind]) await putPart(tx, facts.namespace, kind, part)
        for (const association of associations) await associate(tx, facts.namespace, association)
      })
      return (await find(facts.namespace))!
    },

    /** Its parts follow it to its new name. */
    async change(namespace: string, facts: NamespaceFacts): Promise<Namespace> {
      await db.transaction(async (tx) => {
        if (facts.namespace !== namespace) {
          const taken = await tx
            .selectFrom('image_md_namespace')
            .select('namespace')
            .where('namespace', '=', facts.namespace)
            .executeTakeFirst()
          if (taken) throw conflict(`Namespace ${facts.namespace}`)
          for (const table of tables)
            await tx.updateTable(table).set({ namespace: facts.namespace }).where('namespace', '=', namespace).execute()
        }
        await tx
          .updateTable('image_md_namespace')
          .set({ ...rowOf(facts), updated_at: clock.now() })
          .where('namespace', '=', namespace)
          .execute()
      })
      return (await find(facts.namespace))!
    },

    async remove(namespace: string): Promise<void> {
      await db.transaction(async (tx) => {
        for (const table of [...tables, 'image_md_namespace'] as const)
          await tx.deleteFrom(table).where('namespace', '=', namespace).execute()
      })
    },

    async part(namespace: string, kind: PartKind, name: string): Promise<Part | undefined> {
      const row = await partsOf(namespace, kind).where('name', '=', name).executeTakeFirst()
      return row && partOf(row)
    },

    parts: async (namespace: string, kind: PartKind): Promise<Part[]> =>
      (await partsOf(namespace, kind).orderBy('created_at', 'desc').orderBy('name').execute()).map(partOf),

    async partPage(namespace: string, kind: PartKind, ask: PageAsk<string>) {
      const { rows, more } = await page(partsOf(namespace, kind), partListing as Listing<string>, ask)
      return { parts: rows.map(partOf), more }
    },

    /** `instead`: those there were go. */
    async addParts(namespace: string, kind: PartKind, parts: NewPart[], { instead = false } = {}): Promise<void> {
      await db.transaction(async (tx) => {
        if (instead) await tx.deleteFrom('image_md_part').where('namespace', '=', namespace).where('kind', '=', kind).execute()
        for (const part of parts) await putPart(tx, namespace, kind, part)
      })
    },

    async changePart(namespace: string, kind: PartKind, name: string, part: NewPart): Promise<void> {
      await db.transaction(async (tx) => {
        if (part.name !== name) {
          const there = tx.selectFrom('image_md_part').select('name').where('namespace', '=', namespace).where('kind', '=', kind)
          if (await there.where('name', '=', part.name).executeTakeFirst()) throw conflict(`A ${kind} named ${part.name}`)
        }
        await tx
          .updateTable('image_md_part')
          .set({ name: part.name, body: toJson(part.body), updated_at: clock.now() })
          .where('namespace', '=', namespace)
          .where('kind', '=', kind)
          .where('name', '=', name)
          .execute()
      })
    },

    /** One, or all of the kind. */
    async removeParts(namespace: string, kind: PartKind, name?: string): Promise<void> {
      await db.transaction((tx) => {
        const all = tx.deleteFrom('image_md_part').where('namespace', '=', namespace).where('kind', '=', kind)
        return (name === undefined ? all : all.where('name', '=', name)).execute()
      })
    },

    resourceTypes: () => db.read.selectFrom('image_md_resource_type').selectAll().orderBy('name').execute(),

    /** By namespace. */
    async associations(namespaces: string[]): Promise<Map<string, Association[]>> {
      const found = new Map(namespaces.map((one): [string, Association[]] => [one, []]))
      if (namespaces.length === 0) return found
      const query = db.read.selectFrom('image_md_association').selectAll().where('namespace', 'in', namespaces)
      for (const row of await query.orderBy('name').execute())
        found.get(row.namespace)!.push({
          name: row.name,
          prefix: row.prefix,
          target: row.properties_target,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
        })
      return found
    },

    associate: (namespace: string, association: NewAssociation) => db.transaction((tx) => associate(tx, namespace, association)),

    async dissociate(namespace: string, name: string): Promise<boolean> {
      const gone = await db.transaction((tx) =>
        tx
          .deleteFrom('image_md_association')
          .where('namespace', '=', namespace)
          .where('name', '=', name)
          .returning('name')
          .executeTakeFirst(),
      )
      return gone !== undefined
    },
  }
}

const namespaceOf = (row: MetadefTables['image_md_namespace']): Namespace => ({
  namespace: row.namespace,
  displayName: row.display_name,
  description: row.description,
  visibility: row.visibility as Namespace['visibility'],
  isProtected: row.protected === 1,
  ownerId: row.owner_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const rowOf = (facts: NamespaceFacts) => ({
  namespace: facts.namespace,
  display_name: facts.displayName,
  description: facts.description,
  visibility: facts.visibility,
  protected: facts.isProtected ? 1 : 0,
  owner_id: facts.ownerId,
})

const partOf = (row: MetadefTables['image_md_part']): Part => ({
  name: row.name,
  body: fromJson(row.body),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
