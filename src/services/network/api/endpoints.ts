import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, type Target } from '../../../kit/http/endpoint.ts'
import type { Policy } from '../../../kit/policy/policy.ts'
import type { Change, On, Store } from '../domain/store.ts'
import type { Standard } from '../tables.ts'
import { firstItem, itemsOf, ownerOf, readItem, unusual } from './bodies.ts'
import { find } from './lists.ts'
import { attributeRules, enforceAttributes, forbidden, foreign, ownTarget, type Resource, type Values } from './resource.ts'

export type Wire = { store: Store; policy: Policy }

const anyBody = Type.Unknown()

export type Making<Row extends Standard> = {
  /** What rules compare before there is a row: from the rows it will belong to. Throws not-found when there are none. */
  target?(on: On, ask: Pick<Ask, 'can'>, projectId: string, values: Values): Promise<Target>
  /** Refuses what no rule speaks of. */
  check?(ask: Ask, values: Values, target: Target): Promise<void>
  make(change: Change, projectId: string, values: Values, ask: Ask): Promise<Row>
}

export type Changing<Row extends Standard, Item extends Row> = {
  check?(ask: Ask, values: Values, item: Item): Promise<void>
  change(change: Change, row: Row, values: Values, ask: Ask): Promise<Row>
}

/** How a resource is shown to a caller: rules about single attributes are asked for each item. */
export function renderer<Row extends Standard, Item extends Row>({ policy }: Wire, resource: Resource<Row, Item>) {
  const names = Object.keys(resource.attributes)
  const rules = new Map(
    attributeRules(policy, 'get', resource.name, names)
      .filter((one) => one.part === undefined)
      .map((one) => [one.attribute, one.rule]),
  )
  return (item: Item, ask: Pick<Ask, 'can' | 'query'>): Record<string, unknown> => {
    const fields = ask.query['fields']
    const target = resource.target(item)
    const shown: Record<string, unknown> = {}
    for (const [name, { from }] of Object.entries(resource.attributes)) {
      if (from === undefined || (fields && !fields.includes(name))) continue
      const rule = rules.get(name)
      if (rule === undefined || ask.can(rule, target)) shown[name] = from(item)
    }
    return shown
  }
}

/** GET of the collection and of one. */
export function readers<Row extends Standard, Item extends Row>(wire: Wire, resource: Resource<Row, Item>): Endpoint[] {
  const { store } = wire
  const { name, plural, path } = resource
  const render = renderer(wire, resource)
  return [
    endpoint({
      on: `GET ${path}`,
      policy: `get_${name}`,
      target: async ({ caller }) => ({
        ...ownTarget({ project_id: caller.projectId ?? '' }),
        ...parentsOf(caller.projectId ?? ''),
      }),
      async handle(ask) {
        const { rows, links } = await find(store.read, resource, ask, ask.can(`get_${name}`, foreign))
        const items = await resource.load(store.read, rows)
        const seen = items.filter((item) => ask.can(`get_${name}`, resource.target(item)))
        return {
          [plural]: seen.map((item) => render(item, ask)),
          ...(links.length > 0 ? { [`${plural}_links`]: links } : {}),
        }
      },
    }),
    endpoint({
      on: `GET ${path}/{id}`,
      policy: `get_${name}`,
      visible: `get_${name}`,
      ...subjectOf(wire, resource),
      handle: async (ask) => ({ [name]: render(ask.subject, ask) }),
    }),
  ]
}

/** A list is asked for by who may see what is his own. */
const parentsOf = (projectId: string): Target => ({
  'network:project_id': projectId,
  'security_group:project_id': projectId,
  'ext_parent:project_id': projectId,
})

export function subjectOf<Row extends Standard, Item extends Row>({ store }: Wire, resource: Resource<Row, Item>) {
  return {
    async subject({ params }: { params: Record<string, string> }): Promise<Item | undefined> {
      const row = await resource.find(store.read, params['id']!)
      return row && (await resource.load(store.read, [row]))[0]
    },
    target: ({ subject }: { subject: Item }) => resource.target(subject),
    missing: (params: Record<string, string>) => resource.missing(params['id']!),
  }
}

/** The answer to who asks for what is not there, or not his to know of. */
export function lookup<Row extends Standard, Item extends Row>(wire: Wire, resource: Resource<Row, Item>) {
  return async (ask: Pick<Ask, 'can'>, id: string): Promise<Item> => {
    const row = await resource.find(wire.store.read, id)
    const item = row && (await resource.load(wire.store.read, [row]))[0]
    if (!item || !ask.can(`get_${resource.name}`, resource.target(item))) throw resource.missing(id)
    return item
  }
}

/** POST, of one or many: all of them or none. */
export function creator<Row extends Standard, Item extends Row>(
  wire: Wire,
  resource: Resource<Row, Item>,
  making: Making<Row>,
): Endpoint {
  const { store, policy } = wire
  const { name, plural, path } = resource
  const rules = attributeRules(policy, 'create', name, Object.keys(resource.attributes))
  const render = renderer(wire, resource)
  const targetOf = async (ask: Ask, projectId: string, values: Values): Promise<Target> => ({
    ...ownTarget({ project_id: projectId }),
    ...(await making.target?.(store.read, ask, projectId, values)),
  })
  return endpoint({
    on: `POST ${path}`,
    policy: `create_${name}`,
    status: 201,
    body: anyBody,
    // Who may not make the first is told so before anything is said about the body. Whose it will be is checked below.
    target: async (ask) => ({
      ...ownTarget({ project_id: ask.caller.projectId ?? '' }),
      ...(await making.target?.(store.read, ask, ask.caller.projectId ?? '', firstItem(resource, ask.body))),
    }),
    async handle(ask) {
      const { items, bulk } = itemsOf(resource, ask.body)
      const asked: { projectId: string; values: Values }[] = []
      for (const item of items) {
        const projectId = ownerOf(item, ask)
        const values = readItem(resource, item, 'post')
        const target = await targetOf(ask, projectId, values)
        if (!ask.can(`create_${name}`, target)) throw forbidden(`create_${name}`)
        enforceAttributes(rules, unusual(resource, values), ask, target)
        await making.check?.(ask, values, target)
        asked.push({ projectId, values })
      }
      const rows = await store.change(async (change) => {
        const made: Row[] = []
        for (const { projectId, values } of asked) made.push(await making.make(change, projectId, values, ask))
        return made
      })
      const shown = (await resource.load(store.read, rows)).map((item) => render(item, ask))
      return bulk ? { [plural]: shown } : { [name]: shown[0] }
    },
  })
}

/** PUT of what is given; `If-Match: revision_number=3` holds it back when somebody was quicker. */
export function updater<Row extends Standard, Item extends Row>(
  wire: Wire,
  resource: Resource<Row, Item>,
  changing: Changing<Row, Item>,
): Endpoint {
  const { store, policy } = wire
  const { name, path } = resource
  const rules = attributeRules(policy, 'update', name, Object.keys(resource.attributes))
  const render = renderer(wire, resource)
  return endpoint({
    on: `PUT ${path}/{id}`,
    policy: `update_${name}`,
    visible: `get_${name}`,
    body: anyBody,
    ...subjectOf(wire, resource),
    async handle(ask) {
      const values = readItem(resource, itemsOf(resource, ask.body).items[0]!, 'put')
      const target = resource.target(ask.subject)
      enforceAttributes(rules, values, ask, { ...target, device_owner: values['device_owner'] ?? target['device_owner'] })
      await changing.check?.(ask, values, ask.subject)
      const row = await store.change(async (change) => {
        const now = await resource.find(change.tx, ask.subject.id)
        if (!now) throw resource.missing(ask.subject.id)
        checkRevision(ask, now)
        return changing.change(change, now, values, ask)
      })
      return { [name]: render((await resource.load(store.read, [row]))[0]!, ask) }
    },
  })
}

function checkRevision({ headers }: Pick<Ask, 'headers'>, row: Standard): void {
  const asked = /^\s*revision_number=(\d+)\s*$/.exec(headers['if-match'] ?? '')
  if (!asked || Number(asked[1]) === row.revision) return
  throw new Problem('precondition-failed', `Constrained to ${asked[1]}, but current revision is ${row.revision}`, {
    code: 'RevisionNumberConstraintFailed',
  })
}

export function remover<Row extends Standard, Item extends Row>(
  wire: Wire,
  resource: Resource<Row, Item>,
  remove: (change: Change, row: Row, ask: Ask) => Promise<void>,
): Endpoint {
  const { store } = wire
  const { name, path } = resource
  return endpoint({
    on: `DELETE ${path}/{id}`,
    policy: `delete_${name}`,
    visible: `get_${name}`,
    ...subjectOf(wire, resource),
    async handle(ask) {
      await store.change(async (change) => {
        const row = await resource.find(change.tx, ask.subject.id)
        if (!row) throw resource.missing(ask.subject.id)
        checkRevision(ask, row)
        await remove(change, row, ask)
      })
    },
  })
}
