import type { Blobs } from '../../drivers/blobs/driver.ts'
import type { Deps, Service, ServiceKind } from '../service.ts'
import type { Images } from './contract.ts'
import { imagePolicies } from './policy.ts'

export const imageKind: ServiceKind = { name: 'image', migrations: [], policies: imagePolicies }

export type ImageSettings = { blobs: Blobs }

export function openImages(_deps: Deps, _settings: ImageSettings): Service<Images> {
  return {
    dialect: { bases: [''], error: ({ status, message }) => ({ body: { error: { code: status, message } } }) },
    endpoints: [],
    machines: [],
    contract: {} as Images,
  }
}
