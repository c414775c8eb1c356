import { isoSeconds } from '../../../kit/clock.ts'
import type { Task } from '../domain/task.ts'

const common = (task: Task) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  owner: task.ownerId,
  ...(task.expiresAt === 0 ? {} : { expires_at: isoSeconds(task.expiresAt) }),
  created_at: isoSeconds(task.createdAt),
  updated_at: isoSeconds(task.updatedAt),
  self: `/v2/tasks/${task.id}`,
  schema: '/v2/schemas/task',
})

export const showTask = (task: Task) => ({
  ...common(task),
  input: task.input,
  result: task.result,
  message: task.message,
  image_id: task.imageId,
  request_id: task.requestId,
  user_id: task.userId,
})

/** As lists show it. */
export const showTaskStub = (task: Task) => ({
  ...common(task),
  image_id: task.imageId,
  request_id: task.requestId,
  user_id: task.userId,
})
