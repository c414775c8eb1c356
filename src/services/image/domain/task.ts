import { fromJson } from '../../../kit/db/columns.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import type { TaskRow } from '../tables.ts'

export type TaskType = 'import' | 'api_image_import' | 'location_import'
export type TaskStatus = 'pending' | 'processing' | 'success' | 'failure'
export type ImportMethod = 'glance-direct' | 'web-download' | 'copy-image' | 'glance-download'

/** An image of another region, and who asked for it. */
export type Remote = {
  region: string
  /** Interface in the catalog: public, internal, admin. */
  face: string
  imageId: string
  caller: Caller
  /** Forgotten when the task ends. Whoever reads rows can make tokens anyway: the keys that sign them are rows, too. */
  token?: string
}

/** What an image of another region brings along. */
export type RemoteFacts = { sizeBytes: number; diskFormat: string; containerFormat: string; properties: Record<string, string> }

/** What an import has to do, decided when it was asked for. */
export type ImportPlan = {
  method: ImportMethod
  /** Where the bytes come from (web-download). */
  uri?: string
  /** The same (glance-download). */
  remote?: Remote
  /** Where they shall go, in this order. */
  stores: string[]
  allMustSucceed: boolean
  /** Hex digest the bytes must have. */
  sha512?: string
}

/** Bytes that were judged and lie in `store`, ready to become the image's. */
export type Prepared = {
  blobId: string
  store: string
  sizeBytes: number
  virtualSizeBytes: number | undefined
  md5: string
  sha512: string
  /** When they were converted: what they are now, and what they were made from. */
  diskFormat?: string
  source?: string
}

export type Progress = { remote?: RemoteFacts; prepared?: Prepared; done: string[]; failed: string[] }

export type Task = {
  id: string
  type: TaskType
  status: TaskStatus
  ownerId: string
  projectId: string
  userId: string
  requestId: string
  imageId: string
  input: unknown
  plan: ImportPlan
  progress: Progress
  result: unknown
  message: string
  expiresAt: number
  createdAt: number
  updatedAt: number
}

export const taskOf = (row: TaskRow): Task => ({
  id: row.id,
  type: row.type as TaskType,
  status: row.status as TaskStatus,
  ownerId: row.owner_id,
  projectId: row.owner_id,
  userId: row.user_id,
  requestId: row.request_id,
  imageId: row.image_id,
  input: fromJson(row.input),
  plan: fromJson<ImportPlan>(row.plan),
  progress: fromJson<Progress>(row.progress),
  result: row.result === '' ? null : fromJson(row.result),
  message: row.message,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
