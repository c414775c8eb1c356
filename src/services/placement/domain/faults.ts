import { Problem } from '../../../kit/errors.ts'

/** Clients look at this code to try again. */
export const concurrentUpdate = (message: string): Problem =>
  new Problem('conflict', message, { code: 'placement.concurrent_update' })

export const noProvider = (id: string): Problem => new Problem('not-found', `No resource provider with uuid ${id} found`)

export const inventoryInUse = (classes: string[], provider: string): Problem =>
  new Problem('conflict', `Inventory for '${classes.join(', ')}' on resource provider '${provider}' in use.`, {
    code: 'placement.inventory.inuse',
  })
