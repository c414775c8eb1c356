import { Type } from 'typebox'
import type { Clock } from '../../../kit/clock.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { addClass, allClasses, findClass, removeClass, renameClass } from '../domain/classes.ts'
import type { PlacementDb } from '../tables.ts'
import { CustomName, fresh, newestOf } from './wire.ts'

const ClassBody = Type.Object({ name: Type.String({ pattern: CustomName, maxLength: 255 }) }, { additionalProperties: false })
const path = (name: string) => `/resource_classes/${name}`
const shown = (name: string) => ({ name, links: [{ rel: 'self', href: path(name) }] })
const none = (name: string) => new Problem('not-found', `No such resource class ${name}.`)

export function classEndpoints(db: PlacementDb, clock: Clock): Endpoint[] {
  const add = (name: string) => db.transaction((tx) => addClass(tx, clock.now(), name))
  return [
    endpoint({
      on: 'GET /resource_classes',
      policy: 'placement:resource_classes:list',
      summary: 'List resource classes',
      since: '1.2',
      async handle(ask) {
        const classes = await allClasses(db.read)
        return fresh(ask, newestOf(classes), { body: { resource_classes: classes.map(({ name }) => shown(name)) } })
      },
    }),
    endpoint({
      on: 'POST /resource_classes',
      policy: 'placement:resource_classes:create',
      summary: 'Create a custom resource class',
      since: '1.2',
      body: ClassBody,
      async handle({ body }) {
        if (!(await add(body.name))) throw new Problem('conflict', `Conflicting resource class already exists: ${body.name}`)
        return reply({ status: 201, headers: { location: path(body.name) } })
      },
    }),
    endpoint({
      on: 'GET /resource_classes/{name}',
      policy: 'placement:resource_classes:show',
      summary: 'Show a resource class',
      since: '1.2',
      async handle(ask) {
        const found = await findClass(db.read, ask.params['name']!)
        if (!found) throw none(ask.params['name']!)
        return fresh(ask, found.updatedAt, { body: shown(found.name) })
      },
    }),
    endpoint({
      on: 'PUT /resource_classes/{name}',
      policy: 'placement:resource_classes:update',
      summary: 'Rename a custom resource class',
      since: '1.2',
      until: '1.6',
      body: ClassBody,
      handle: async ({ params, body }) => shown((await renameClass(db, clock.now(), params['name']!, body.name)).name),
    }),
    endpoint({
      on: 'PUT /resource_classes/{name}',
      policy: 'placement:resource_classes:update',
      summary: 'Make sure that there is a custom resource class',
      since: '1.7',
      async handle({ params }) {
        const name = params['name']!
        if (!new RegExp(CustomName).test(name) || name.length > 255)
          throw new Problem('invalid', `JSON does not validate: '${name}' does not match '${CustomName}'`)
        return reply({ status: (await add(name)) ? 201 : 204, headers: { location: path(name) } })
      },
    }),
    endpoint({
      on: 'DELETE /resource_classes/{name}',
      policy: 'placement:resource_classes:delete',
      summary: 'Delete a custom resource class',
      since: '1.2',
      async handle({ params }) {
        await removeClass(db, params['name']!)
      },
    }),
  ]
}
