import type { TestContext } from 'node:test'
import { type Answer, type Client, type TestCloud, testCloud } from '../../../../test/cloud.ts'

export type World = TestCloud & {
  /** The service at one microversion, as an administrator. */
  at(version: string): Placed
}
export type Placed = {
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  put(path: string, body?: unknown): Promise<Answer>
  delete(path: string): Promise<Answer>
}

export const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

export const placed = ({ placement }: Client, version: string): Placed => ({
  get: (path) => placement.get(path, { version }),
  post: (path, body) => placement.post(path, body, { version }),
  put: (path, body) => placement.put(path, body, { version }),
  delete: (path) => placement.delete(path, { version }),
})

export async function world(t: TestContext): Promise<World> {
  const cloud = await testCloud(t, { hosts: [] })
  return Object.assign(cloud, { at: (version: string) => placed(cloud.admin, version) })
}

type Spec = { number: number; parent?: number; stock?: Record<string, number>; traits?: string[]; aggregates?: number[] }

/** Makes a provider with what it has. */
export async function provider({ at }: World, { number, parent, stock = {}, traits = [], aggregates = [] }: Spec): Promise<void> {
  const service = at('1.39')
  for (const trait of traits) if (trait.startsWith('CUSTOM_')) await service.put(`/traits/${trait}`)
  for (const name of Object.keys(stock)) if (name.startsWith('CUSTOM_')) await service.put(`/resource_classes/${name}`)
  const path = `/resource_providers/${id(number)}`
  const body = { name: `p${number}`, uuid: id(number), parent_provider_uuid: parent === undefined ? null : id(parent) }
  await service.post('/resource_providers', body)
  const inventories = Object.fromEntries(Object.entries(stock).map(([name, total]) => [name, { total, max_unit: total }]))
  await service.put(`${path}/inventories`, { resource_provider_generation: 0, inventories })
  await service.put(`${path}/traits`, { resource_provider_generation: 1, traits })
  await service.put(`${path}/aggregates`, { resource_provider_generation: 2, aggregates: aggregates.map(id) })
}

/** Takes resources of one provider for a consumer. */
export const allocate = ({ at }: World, consumer: number, of: number, resources: Record<string, number>): Promise<Answer> =>
  at('1.39').put(`/allocations/${id(consumer)}`, {
    allocations: { [id(of)]: { resources } },
    project_id: 'project',
    user_id: 'user',
    consumer_generation: null,
    consumer_type: 'INSTANCE',
  })
