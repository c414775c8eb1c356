import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client, Json } from '../../../../test/cloud.ts'
import type { Endpoint } from '../../../kit/http/endpoint.ts'
import { identityPolicies } from '../policy.ts'
import { isPersonal, nameOf, openProber, writesOf } from './probing.ts'
import { type IdentityCloud, identityCloud } from './signing-in.ts'
import { ec2Token } from './signing-requests.ts'

/** Every kind of token there is. `unscoped` counts as being of a project where a rule admits kinds of tokens, but has no role. */
const kinds = [
  'password',
  'token',
  'trust',
  'trust without impersonation',
  'application credential, restricted',
  'application credential, unrestricted',
  'ec2',
  'system',
  'domain',
  'unscoped',
] as const
type Kind = (typeof kinds)[number]

const scopeOf = (kind: Kind): 'system' | 'domain' | 'project' => (kind === 'system' || kind === 'domain' ? kind : 'project')

const delegated: Kind[] = kinds.slice(2, 7)
const primary: Kind[] = kinds.filter((kind) => !delegated.includes(kind))
const unrestricted: Kind = 'application credential, unrestricted'
const trusts: Kind[] = ['trust', 'trust without impersonation']

/** Who may write what is the own. All others write nothing of that sort, and nobody what is somebody else's but by `byAdmin`. */
const own: Record<string, Kind[]> = {
  'POST /credentials': primary,
  'PATCH /credentials/{credential_id}': primary,
  'DELETE /credentials/{credential_id}': primary,
  'POST /users/{user_id}/credentials/OS-EC2': ['password', 'token', 'system'],
  'DELETE /users/{user_id}/credentials/OS-EC2/{credential_id}': ['password', 'token', 'system'],
  'POST /users/{user_id}/application_credentials': ['password', 'token', unrestricted],
  'DELETE /users/{user_id}/application_credentials/{application_credential_id}': [
    'password',
    'token',
    'system',
    'unscoped',
    unrestricted,
  ],
  'DELETE /users/{user_id}/access_rules/{access_rule_id}': ['password', 'token', 'system', 'unscoped', unrestricted],
  'POST /OS-TRUST/trusts': ['password', 'token', 'unscoped', ...trusts],
  'DELETE /OS-TRUST/trusts/{trust_id}': ['password', 'token', 'system', 'unscoped', ...trusts],
}

/** Who of those with the role admin may write what is somebody else's. */
const byAdmin: Record<string, Kind[]> = {
  'POST /credentials': ['password', 'token', 'system', 'domain'],
  'PATCH /credentials/{credential_id}': ['password', 'token', 'system', 'domain'],
  'DELETE /credentials/{credential_id}': ['password', 'token', 'system', 'domain'],
  'POST /users/{user_id}/credentials/OS-EC2': ['password', 'token', 'system'],
  'DELETE /users/{user_id}/credentials/OS-EC2/{credential_id}': ['password', 'token', 'system'],
  'POST /users/{user_id}/application_credentials': [],
  'DELETE /users/{user_id}/application_credentials/{application_credential_id}': ['password', 'token', 'system', unrestricted],
  'DELETE /users/{user_id}/access_rules/{access_rule_id}': ['system'],
  'POST /OS-TRUST/trusts': [],
  'DELETE /OS-TRUST/trusts/{trust_id}': ['password', 'token', 'system', ...trusts],
}

/** By role, and only with the kinds of token the rule admits. */
function byRole({ policy }: Endpoint, kind: Kind, role: string): boolean {
  if (role !== 'admin' || kind === 'unscoped') return false
  return identityPolicies.find((rule) => rule.name === policy)!.scopes?.includes(scopeOf(kind)) ?? true
}

type World = { cloud: IdentityCloud; domain: string; projectId: string }
type Person = { id: string; world: World; primary: Client & { token: string } }

async function newPerson(world: World, name: string, role: string): Promise<Person> {
  const { cloud, domain, projectId } = world
  const { id } = await cloud.make('/users', { user: { name, domain_id: domain, password: 'pw' } })
  const roleId = await cloud.roleId(role)
  for (const place of [`projects/${projectId}`, `domains/${domain}`, 'system'])
    await cloud.admin.identity.put(`/${place}/users/${id}/roles/${roleId}`)
  return { id, world, primary: await cloud.signIn({ id, password: 'pw', scope: { project: { id: projectId } } }) }
}

/** A token of each kind, all with the power of one person; and who it acts as. */
async function open(kind: Kind, { id, world, primary: client }: Person, proxy: Person, role: string) {
  const { cloud, projectId, domain } = world
  const scoped = (scope: Json) => cloud.signIn({ id, password: 'pw', scope })
  const appCredential = async (restricted: boolean) => {
    const wanted = { name: `for ${kind}`, unrestricted: !restricted }
    const made = await client.identity.post(`/users/${id}/application_credentials`, { application_credential: wanted })
    const { id: credentialId, secret } = made.body.application_credential
    const identity = { methods: ['application_credential'], application_credential: { id: credentialId, secret } }
    return cloud.login({ identity })
  }
  const trust = async (impersonation: boolean) => {
    const wanted = {
      trustor_user_id: id,
      trustee_user_id: proxy.id,
      project_id: projectId,
      roles: [{ name: role }],
      impersonation,
      allow_redelegation: true,
    }
    const made = await client.identity.post('/OS-TRUST/trusts', { trust: wanted })
    return cloud.signIn({ id: proxy.id, password: 'pw', scope: { 'OS-TRUST:trust': { id: made.body.trust.id } } })
  }
  const openers: Record<Kind, () => Promise<Client & { token: string }>> = {
    password: async () => client,
    token: async () => {
      const answer = await cloud.rescope(client.token, { project: { id: projectId } })
      const token = answer.headers['x-subject-token']!
      return { ...cloud.withToken(token), token }
    },
    trust: () => trust(true),
    'trust without impersonation': () => trust(false),
    'application credential, restricted': () => appCredential(true),
    'application credential, unrestricted': () => appCredential(false),
    ec2: () => ec2Token(cloud, { client, userId: id, projectId }),
    system: () => scoped({ system: { all: true } }),
    domain: () => scoped({ domain: { id: domain } }),
    unscoped: () => scoped('unscoped'),
  }
  return { client: await openers[kind](), actor: kind === 'trust without impersonation' ? proxy : undefined }
}

async function newWorld(cloud: IdentityCloud): Promise<World> {
  const { id: domain } = await cloud.make('/domains', { domain: { name: 'acme' } })
  const { id: projectId } = await cloud.make('/projects', { project: { name: 'home', domain_id: domain } })
  return { cloud, domain, projectId }
}

for (const role of ['admin', 'member'])
  test(`delegation matrix, ${role}: every kind of token writes what it should, and nothing else (OSSA-2014-018, OSSA-2014-022, CVE-2026-42998, CVE-2026-90460)`, async (t) => {
    const cloud = await identityCloud(t)
    const world = await newWorld(cloud)
    const [person, proxy, stranger] = [
      await newPerson(world, 'ann', role),
      await newPerson(world, 'proxy', 'member'),
      await newPerson(world, 'eve', 'member'),
    ]
    const asOwner = (one: Person) => ({
      id: one.id,
      client: one.primary,
      projectId: world.projectId,
      trusteeId: stranger.id,
    })
    const proberFor = (one: Person) => openProber(cloud, { domain: world.domain, owner: asOwner(one) })
    const probers = new Map([person, proxy, stranger].map((one) => [one.id, proberFor(one)]))
    const wrong: string[] = []
    const personal = new Set<string>()
    for (const kind of kinds) {
      const { client, actor = person } = await open(kind, person, proxy, role)
      const see = (what: string, allowed: boolean, expected: boolean) => {
        if (allowed !== expected) wrong.push(`${kind}: ${what} ${allowed ? 'allowed' : 'refused'}`)
      }
      for (const endpoint of writesOf(cloud)) {
        const name = nameOf(endpoint)
        if (!isPersonal(endpoint)) {
          see(name, await probers.get(person.id)!.may(client, endpoint), byRole(endpoint, kind, role))
          continue
        }
        personal.add(name)
        see(`own ${name}`, await probers.get(actor.id)!.may(client, endpoint), own[name]?.includes(kind) ?? false)
        const others = role === 'admin' ? byAdmin[name]! : []
        see(`other ${name}`, await probers.get(stranger.id)!.may(client, endpoint), others.includes(kind))
      }
    }
    assert.deepEqual(wrong, [])
    assert.deepEqual([...personal].sort(), Object.keys(own).sort())
  })

test('no delegated token is made into another token, of whatever scope', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const [person, proxy] = [await newPerson(world, 'ann', 'admin'), await newPerson(world, 'proxy', 'member')]
  const scopes = [undefined, { project: { id: world.projectId } }, { domain: { id: world.domain } }, { system: { all: true } }]
  for (const kind of delegated) {
    const { client } = await open(kind, person, proxy, 'admin')
    for (const scope of scopes) {
      const { status, body } = await cloud.rescope(client.token, scope)
      assert.equal(status, 403, `${kind} to ${JSON.stringify(scope)}: ${JSON.stringify(body)}`)
    }
  }
  const { client: onSystem } = await open('system', person, proxy, 'admin')
  assert.equal((await cloud.rescope(onSystem.token, scopes[1])).status, 403)
  assert.equal((await cloud.rescope(onSystem.token, scopes[3])).status, 201)
})

test('what a delegated token reads of credentials is nothing: not a list, not a secret', async (t) => {
  const cloud = await identityCloud(t)
  const world = await newWorld(cloud)
  const [person, proxy] = [await newPerson(world, 'ann', 'admin'), await newPerson(world, 'proxy', 'member')]
  const seed = await cloud.make('/credentials', { credential: { type: 'totp', blob: 'GEZDGNBV', user_id: person.id } })
  for (const kind of delegated) {
    const { client } = await open(kind, person, proxy, 'admin')
    for (const path of ['/credentials', `/credentials/${seed.id}`, `/users/${person.id}/credentials/OS-EC2`])
      assert.equal((await client.identity.get(path)).status, 403, `${kind} ${path}`)
  }
})
