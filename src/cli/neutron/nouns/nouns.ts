import { securityGroup, securityGroupRule } from './groups.ts'
import { network, subnet } from './networks.ts'
import { type Noun, plain } from './noun.ts'
import { agent, meterLabel, meterRule, qosPolicy, rbac } from './others.ts'
import { addressScope, subnetpool } from './pools.ts'
import { port } from './ports.ts'
import { floatingip, router } from './routers.ts'

/** Commands are called by these words: `net-list`, `security-group-rule-create`. */
export const nouns: Record<string, Noun> = {
  net: network,
  subnet,
  port,
  router,
  floatingip,
  'security-group': securityGroup,
  'security-group-rule': securityGroupRule,
  agent,
  ext: plain('extension', '/extensions', ['alias', 'name'], { hasNames: false }),
  'availability-zone': plain('availability_zone', '/availability_zones', ['name', 'resource', 'state']),
  'service-provider': plain('service_provider', '/service-providers', ['service_type', 'name', 'default']),
  subnetpool,
  'address-scope': addressScope,
  rbac,
  'qos-policy': qosPolicy,
  'meter-label': meterLabel,
  'meter-label-rule': meterRule,
  flavor: plain('flavor', '/flavors', ['id', 'name', 'service_type', 'enabled']),
}

/** Of a kind of thing as options name it. */
export function nounOf(name: string): Noun {
  if (name === 'segment') return plain('segment', '/segments', ['id', 'name'])
  const found = Object.values(nouns).find((noun) => (noun.called ?? noun.name) === name)
  if (!found) throw new Error(`no such kind of thing: ${name}`)
  return found
}
