import type { IForbiddenRuleType } from 'dependency-cruiser'

/** Tests may wire up anything; they are not part of the program. */
const tests = '([.]test[.]ts$|/test/|suite[.]ts$)'

const never = (name: string, comment: string, from: string, to: string, except?: string): IForbiddenRuleType => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: tests },
  to: { path: to, ...(except !== undefined && { pathNot: except }) },
})

/** Only these folders may import what matches, were it only a type: the parser does not tell types apart. */
const door = (name: string, what: string, folders: string): IForbiddenRuleType => ({
  name,
  comment: `only ${folders} may import ${what}`,
  severity: 'error',
  from: { path: '^(src|bin|images)/', pathNot: [folders, tests] },
  to: { path: what },
})

const library = (names: string) => `(^|node_modules/)(${names})(/|$)`

/** Who may import whom: main and deploy -> services and agents -> drivers -> kit. */
export const rules: IForbiddenRuleType[] = [
  { name: 'no-cycle', severity: 'error', from: { path: '^(src|test|bin|images)/' }, to: { circular: true } },
  never('kit-knows-nobody', 'the kit is what everything stands on', '^src/kit/', '^(src/(?!kit/)|images/|bin/)'),
  never('drivers-know-the-kit', 'a driver serves whoever calls it', '^src/drivers/', '^(src/(?!kit/|drivers/)|images/|bin/)'),
  {
    name: 'drivers-are-strangers',
    comment: 'a driver does not know the other kinds',
    severity: 'error',
    from: { path: '^src/drivers/([^/]+)/', pathNot: tests },
    to: { path: '^src/drivers/', pathNot: '^src/drivers/$1/' },
  },
  never('agents-know-no-service', 'agents see documents, never rows', '^src/agents/', '^(src/(?!kit/|drivers/|agents/)|bin/)'),
  never(
    'services-know-no-main',
    'services are wired by main',
    '^src/services/',
    '^(src/(?!kit/|drivers/|agents/|services/)|images/|bin/)',
  ),
  never('services-see-documents', 'of agents, services know the documents', '^src/services/', '^src/agents/', '/document[.]ts$'),
  {
    name: 'services-meet-at-contracts',
    comment: 'ask for a call in contract.ts of the other service',
    severity: 'error',
    from: { path: '^src/services/([^/]+)/', pathNot: tests },
    to: { path: '^src/services/[^/]+/', pathNot: ['^src/services/$1/', '/contract[.]ts$'] },
  },
  never(
    'domain-knows-no-wire',
    'wire names, status codes and microversions stay in api/',
    '^src/services/[^/]+/(domain|work)/',
    '^src/(kit/http/|services/[^/]+/api/)',
  ),
  never('clients-use-the-api', 'a client knows the public API only', '^src/cli/', '^src/(services|agents|drivers|main)/'),
  never('deploy-uses-the-api', 'the deployer knows the public API only', '^src/deploy/', '^src/(services|agents|main)/'),
  door('door-http', library('fastify|ajv'), '^src/kit/'),
  door('door-database', library('pg|node:sqlite|sqlite'), '^src/kit/'),
  door('door-log', library('pino'), '^src/kit/'),
  door('door-websocket', library('ws'), '^src/kit/'),
  door('door-ssh', library('ssh2'), '^src/deploy/hosts/'),
  door('door-ldap', library('ldapts'), '^src/drivers/directory/ldap/'),
  door('door-passwords', library('@node-rs'), '^src/kit/'),
  door(
    'door-programs',
    '^(node:)?child_process$',
    '^src/(kit/exec/|deploy/|agents/netns/|drivers/(hypervisor/qemu|netns/linux|vswitch/ovs)/)',
  ),
]
