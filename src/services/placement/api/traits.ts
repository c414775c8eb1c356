import { Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint, type Query } from '../../../kit/http/endpoint.ts'
import { addTrait, allTraits, associatedTraits, findTrait, removeTrait, type Trait } from '../domain/traits.ts'
import type { PlacementDb } from '../tables.ts'
import { CustomName, fresh, newestOf, Texts } from './wire.ts'

const ListQuery = Type.Object({ name: Type.Optional(Texts), associated: Type.Optional(Texts) }, { additionalProperties: false })

export function traitEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const list = async (query: Query): Promise<Trait[]> => {
    const fits = nameTest(query['name']?.at(-1))
    const associated = flag(query['associated']?.at(-1))
    const used = associated === undefined ? undefined : await associatedTraits(db.read)
    return (await allTraits(db.read)).filter(({ name }) => fits(name) && (used === undefined || used.has(name) === associated))
  }
  return [
    endpoint({
      on: 'GET /traits',
      policy: 'placement:traits:list',
      summary: 'List traits',
      since: '1.6',
      query: ListQuery,
      async handle(ask) {
        const traits = await list(ask.query)
        return fresh(ask, newestOf(traits), { body: { traits: traits.map(({ name }) => name) } })
      },
    }),
    endpoint({
      on: 'GET /traits/{name}',
      policy: 'placement:traits:show',
      summary: 'Tell whether there is a trait',
      since: '1.6',
      async handle(ask) {
        const found = await findTrait(db.read, ask.params['name']!)
        if (!found) throw new Problem('not-found', `No such trait(s): ${ask.params['name']}.`)
        return fresh(ask, found.updatedAt, { status: 204 })
      },
    }),
    endpoint({
      on: 'PUT /traits/{name}',
      policy: 'placement:traits:update',
      summary: 'Make sure that there is a custom trait',
      since: '1.6',
      async handle(ask) {
        const name = ask.params['name']!
        if (!new RegExp(CustomName).test(name) || name.length > 255)
          throw new Problem(
            'invalid',
            'The trait is invalid: it starts with CUSTOM_, has only A-Z, 0-9 and _, and is no longer than 255 characters.',
          )
        const isNew = await db.transaction((tx) => addTrait(tx, clock.now(), name))
        return fresh(ask, (await findTrait(db.read, name))?.updatedAt, {
          status: isNew ? 201 : 204,
          headers: { location: `/traits/${name}` },
        })
      },
    }),
    endpoint({
      on: 'DELETE /traits/{name}',
      policy: 'placement:traits:delete',
      summary: 'Delete a custom trait',
      since: '1.6',
      async handle({ params }) {
        await removeTrait(db, params['name']!)
      },
    }),
  ]
}

/** `in:A,B` or `startswith:CUSTOM_`. */
function nameTest(text: string | undefined): (name: string) => boolean {
  if (text === undefined) return () => true
  const [, op, value] = /^([^:]*):(.*)$/s.exec(text) ?? []
  if (op === undefined)
    throw new Problem(
      'invalid',
      `Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${text}"`,
    )
  if (op === 'startswith') return (name) => name.startsWith(value!)
  const names = new Set(value!.split(','))
  return op === 'in' ? (name) => names.has(name) : () => true
}

function flag(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (!/^(true|false)$/i.test(text))
    throw new Problem('invalid', 'The query parameter "associated" only accepts "true" or "false"')
  return text.toLowerCase() === 'true'
}
