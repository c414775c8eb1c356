import { Type } from 'typebox'
import { type Listing, listing, pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, endpoint, type Query, reply } from '../../../kit/http/endpoint.ts'
import { dashed, uuid } from '../../../kit/ids.ts'
import type { ImageQuota } from '../domain/quota.ts'
import type { ImportPlan } from '../domain/task.ts'
import { type Draft, forbidden, newDraft, setAttribute } from './attributes.ts'
import { allowVisibility, markerProblem } from './images.ts'
import { type ImportDeps, whoOf } from './import.ts'
import type { Protection } from './protection.ts'
import { showTask, showTaskStub } from './task-view.ts'

type Column = 'id' | 'type' | 'status' | 'created_at' | 'updated_at' | 'expires_at'

const taskListing = listing<Column>({
  filters: { type: { column: 'type' }, status: { column: 'status' } },
  sorts: {
    id: 'id',
    type: 'type',
    status: 'status',
    created_at: 'created_at',
    updated_at: 'updated_at',
    expires_at: 'expires_at',
  },
  defaultSort: [
    ['created_at', 'desc'],
    ['id', 'desc'],
  ],
  key: 'id',
  maxLimit: 1000,
}) as Listing<string>

const statuses = ['pending', 'processing', 'success', 'failure']
const invalid = (message: string) => new Problem('invalid', message)

/** The tasks API of old: administrators only by default. */
export const taskEndpoints = ({ images, tasks, stores, fetch, quota, protection }: TaskDeps) => [
  endpoint({
    on: 'GET /tasks',
    policy: 'tasks_api_access',
    alsoAsks: ['get_tasks'],
    summary: 'list tasks',
    handle: async ({ query, caller, can, url }) => {
      refuse(can, 'get_tasks')
      refuseFilters(query)
      const ask = pageAsk(taskListing, { limit: ['25'], sort_key: ['created_at'], sort_dir: ['desc'], ...query })
      const owner = can('context_is_admin') ? undefined : caller.projectId
      const { tasks: found, more } = await tasks.list(owner, taskListing, ask).catch(markerProblem)
      const rest = new URLSearchParams(url.split('?')[1] ?? '')
      const link = (marker?: string) => {
        rest.delete('marker')
        if (marker) rest.set('marker', marker)
        return rest.size === 0 ? '/v2/tasks' : `/v2/tasks?${rest}`
      }
      return {
        tasks: found.map(showTaskStub),
        ...(more ? { next: link(found.at(-1)!.id) } : {}),
        first: link(),
        schema: '/v2/schemas/tasks',
      }
    },
  }),
  endpoint({
    on: 'GET /tasks/{task_id}',
    policy: 'tasks_api_access',
    alsoAsks: ['get_task'],
    summary: 'show task',
    // The rule is asked before anything is looked for: whom it refuses does not learn what there is.
    handle: async ({ params, can }) => {
      refuse(can, 'get_task')
      const id = dashed(params['task_id'] ?? '')
      const task = id === undefined ? undefined : await tasks.find(id)
      if (!task) throw new Problem('not-found', `The task ${params['task_id']} could not be found`)
      return showTask(task)
    },
  }),
  endpoint({
    on: 'POST /tasks',
    policy: 'tasks_api_access',
    alsoAsks: ['add_task', 'publicize_image', 'communitize_image'],
    status: 201,
    body: Type.Record(Type.String(), Type.Unknown()),
    summary: 'create task',
    handle: async (ask) => {
      refuse(ask.can, 'add_task')
      const { uri, draft } = readInput(ask.body, newDraft(ask.caller.projectId ?? ''))
      fetch.check(uri)
      allowVisibility(ask, draft, 'shared')
      protection.allow(ask.caller, {}, draft.properties)
      const plan: ImportPlan = { method: 'web-download', uri, stores: [stores.usual.id], allMustSucceed: true }
      const id = uuid()
      const limits = await quota.limits(draft.row.owner_id)
      const started = { id: '' }
      await images.create({ id, ...draft }, async (tx) => {
        const image = { id, ownerId: draft.row.owner_id }
        started.id = await tasks.start(tx, image, { type: 'import', input: ask.body['input'], plan, ...whoOf(ask) }, limits)
      })
      const task = (await tasks.find(started.id))!
      return reply({ status: 201, body: showTask(task), headers: { location: `/v2/tasks/${task.id}` } })
    },
  }),
]

/** The API's own rule has let the caller in; each operation has one beside it. */
function refuse(can: Ask['can'], rule: string): void {
  if (!can(rule)) throw forbidden(`${rule} is disallowed by policy`)
}

type TaskDeps = Omit<ImportDeps, 'uploads' | 'methods'> & { quota: ImageQuota; protection: Protection }

function refuseFilters(query: Query): void {
  const [status, type] = [query['status']?.at(-1), query['type']?.at(-1)]
  if (status !== undefined && !statuses.includes(status)) throw invalid(`Invalid status value: ${status}`)
  if (type !== undefined && !['import', 'api_image_import', 'location_import'].includes(type))
    throw invalid(`Invalid type value: ${type}`)
}

/** `import_from`, its format, and the attributes of the image to be. */
function readInput({ type, input }: Record<string, unknown>, draft: Draft): { uri: string; draft: Draft } {
  if (type === undefined) throw invalid("Task 'type' is required")
  if (type !== 'import') throw invalid(`Tasks of type ${String(type)} cannot be made.`)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw invalid("Task 'input' is required")
  const { import_from: uri, import_from_format: format, image_properties: attributes } = input as Record<string, unknown>
  if (typeof uri !== 'string') throw invalid("Input does not contain 'import_from' field")
  if (typeof format !== 'string') throw invalid("Input does not contain 'import_from_format' field")
  if (typeof attributes !== 'object' || attributes === null) throw invalid("Input does not contain 'image_properties' field")
  setAttribute(draft, 'disk_format', format)
  setAttribute(draft, 'container_format', 'bare')
  for (const [name, value] of Object.entries(attributes)) setAttribute(draft, name, value)
  return { uri, draft }
}
