import { Problem, type ProblemKind } from '../../../kit/errors.ts'

/** A problem under the name users of this API know it by (NeutronError's `type`). */
export const fault = (kind: ProblemKind, code: string, message: string): Problem => new Problem(kind, message, { code })

export const noNetwork = (id: string) => fault('not-found', 'NetworkNotFound', `Network ${id} could not be found.`)
export const noSubnet = (id: string) => fault('not-found', 'SubnetNotFound', `Subnet ${id} could not be found.`)
export const noPort = (id: string) => fault('not-found', 'PortNotFound', `Port ${id} could not be found.`)
export const noRouter = (id: string) => fault('not-found', 'RouterNotFound', `Router ${id} could not be found`)
export const noFloatingIp = (id: string) => fault('not-found', 'FloatingIPNotFound', `Floating IP ${id} could not be found`)
export const noGroup = (id: string) => fault('not-found', 'SecurityGroupNotFound', `Security group ${id} does not exist`)
export const noRule = (id: string) => fault('not-found', 'SecurityGroupRuleNotFound', `Security group rule ${id} does not exist`)

export const badInput = (message: string) => fault('invalid', 'InvalidInput', `Invalid input for operation: ${message}.`)
export const badRequest = (resource: string, message: string) =>
  fault('invalid', 'BadRequest', `Bad ${resource} request: ${message}.`)
