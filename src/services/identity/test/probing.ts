import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Client, Json } from '../../../../test/cloud.ts'
import type { Endpoint } from '../../../kit/http/endpoint.ts'
import type { IdentityCloud } from './signing-in.ts'

export const nameOf = ({ method, path }: Endpoint): string => `${method} ${path}`

/** Everything that changes something, but for tokens revoking themselves. */
export const writesOf = (cloud: IdentityCloud): Endpoint[] =>
  cloud.cloud.services.identity.endpoints.filter(
    (one) => !['GET', 'HEAD'].includes(one.method) && one.policy !== 'public' && nameOf(one) !== 'DELETE /auth/tokens',
  )

/** Everything that shows something of others; `/auth` shows people their own. */
export const readsOf = (cloud: IdentityCloud): Endpoint[] =>
  cloud.cloud.services.identity.endpoints.filter(
    ({ method, path, policy }) => method === 'GET' && !['public', 'token'].includes(policy) && !path.startsWith('/auth/'),
  )

/** What people have for themselves: it is not by a role that they may write it. */
export const isPersonal = ({ path }: Pick<Endpoint, 'path'>): boolean =>
  /^\/(credentials|OS-TRUST|users\/\{user_id\}\/(credentials|application_credentials|access_rules))/.test(path)

/** Somebody whose things are probed. `client`: with a token by password for a project. */
export type Owner = { id: string; client: Client; projectId: string; trusteeId: string }

/** Where probes happen: things are made in `domain`, personal ones for `owner`. */
export type Place = { domain: string; owner?: Owner }

export type Prober = {
  /** Whether the client may. Rules are asked before the schema of a body, so that 400 means "would have been allowed". */
  may(client: Client, endpoint: Endpoint): Promise<boolean>
}

/** Something of every kind, so that each probe hits what exists; made again when a probe has deleted it. */
export function openProber(cloud: IdentityCloud, place: Place): Prober {
  const known = new Map<string, string>()
  const makers = makersFor(cloud, place)
  const keyOf = (endpoint: Endpoint, variable: string) =>
    `${variable} ${isPersonal(endpoint)} ${['role_id', 'credential_id'].includes(variable) && endpoint.path.split('/')[1]}`
  const idsFor = async (endpoint: Endpoint) => {
    const ids: Record<string, string> = {}
    for (const [, variable] of endpoint.path.matchAll(/\{([^}]+)\}/g)) {
      const key = keyOf(endpoint, variable!)
      const id = known.get(key) ?? (await makers(variable!, endpoint))
      known.set(key, id)
      ids[variable!] = id
    }
    return ids
  }
  return {
    async may(client, endpoint) {
      const ids = await idsFor(endpoint)
      const path = endpoint.path.replace(/\{([^}]+)\}/g, (_, name) => ids[name]!)
      const method = endpoint.method.toLowerCase() as 'post' | 'put' | 'patch'
      const body = endpoint.body === 'none' ? undefined : bodyOf(endpoint, place)
      const answer = await client.identity[method](path, body)
      const what = `${nameOf(endpoint)}: ${answer.status} ${JSON.stringify(answer.body)}`
      // Both say 401 for a bad signature.
      const signed = ['/ec2tokens', '/s3tokens'].includes(endpoint.path)
      assert.ok(signed || answer.status !== 401, what)
      assert.ok(answer.status < 500, what)
      if (endpoint.method === 'DELETE' && answer.status === 204)
        known.delete(keyOf(endpoint, [...endpoint.path.matchAll(/\{([^}]+)\}/g)].at(-1)![1]!))
      return !(answer.status === 403 && /^You are not authorized/.test(answer.body.error.message))
    },
  }
}

function makersFor(cloud: IdentityCloud, { domain, owner }: Place) {
  const make = async (path: string, noun: string, body: Json) => (await cloud.make(`/${path}`, { [noun]: body })).id
  const plain = (noun: string, body: Json) => make(`${noun}s`, noun, body)
  const byOwner = async (path: string, noun: string, body: Json) => {
    const answer = await owner!.client.identity.post(path, { [noun]: body })
    assert.equal(answer.status, 201, `${path}: ${JSON.stringify(answer.body)}`)
    return answer.body[noun]
  }
  const filters = { interface: 'public' }
  return async (variable: string, endpoint: Endpoint): Promise<string> => {
    const name = `x${randomUUID()}`
    const service = () => plain('service', { type: name })
    const appCredential = () =>
      byOwner(`/users/${owner!.id}/application_credentials`, 'application_credential', {
        name,
        access_rules: [{ path: `/${name}`, method: 'GET', service: 'compute' }],
      })
    const personal: Record<string, () => Promise<string>> = {
      user_id: async () => owner!.id,
      credential_id: async () => {
        if (endpoint.path.startsWith('/users'))
          return (await cloud.admin.identity.post(`/users/${owner!.id}/credentials/OS-EC2`, { tenant_id: owner!.projectId })).body
            .credential.access
        return plain('credential', { type: 'totp', blob: 'GEZDGNBV', user_id: owner!.id })
      },
      application_credential_id: async () => (await appCredential()).id,
      access_rule_id: async () => {
        const made = await appCredential()
        await owner!.client.identity.delete(`/users/${owner!.id}/application_credentials/${made.id}`)
        return made.access_rules[0].id
      },
      trust_id: async () =>
        (
          await byOwner('/OS-TRUST/trusts', 'trust', {
            trustor_user_id: owner!.id,
            trustee_user_id: owner!.trusteeId,
            impersonation: true,
            project_id: owner!.projectId,
            roles: [{ name: 'reader' }],
          })
        ).id,
    }
    const common: Record<string, () => Promise<string>> = {
      user_id: () => plain('user', { name, domain_id: domain }),
      group_id: () => plain('group', { name, domain_id: domain }),
      project_id: () => plain('project', { name, domain_id: domain }),
      domain_id: async () => domain,
      role_id: async () => (endpoint.path.startsWith('/roles') ? plain('role', { name }) : cloud.roleId('member')),
      prior_role_id: () => plain('role', { name: `${name}p` }),
      implies_role_id: () => plain('role', { name: `${name}i` }),
      region_id: () => plain('region', { id: name }),
      service_id: service,
      endpoint_id: async () => plain('endpoint', { interface: 'public', url: 'http://x', service_id: await service() }),
      value: async () => 'tag',
      endpoint_group_id: () => make('OS-EP-FILTER/endpoint_groups', 'endpoint_group', { name, filters }),
      policy_id: () => make('policies', 'policy', { type: 'text', blob: '{}' }),
      group: async () => 'ldap',
      option: async () => 'url',
      registered_limit_id: async () => (await registered(name, await service())).id,
      limit_id: async () => {
        const { service_id, resource_name } = await registered(name, await service())
        const limits = [{ service_id, resource_name, resource_limit: 1, domain_id: domain }]
        return (await cloud.admin.identity.post('/limits', { limits })).body.limits[0].id
      },
    }
    const maker = (isPersonal(endpoint) ? personal[variable] : undefined) ?? common[variable]
    if (!maker) throw new Error(`nothing makes a ${variable}`)
    return maker()
  }
  async function registered(name: string, serviceId: string): Promise<Json> {
    const registered_limits = [{ service_id: serviceId, resource_name: name, default_limit: 5 }]
    return (await cloud.admin.identity.post('/registered_limits', { registered_limits })).body.registered_limits[0]
  }
}

/** The body says only where and whose a new thing should be. */
function bodyOf({ method, path }: Endpoint, { domain, owner }: Place): Json {
  if (method !== 'POST') return {}
  if (path === '/OS-TRUST/trusts') return { trust: { trustor_user_id: owner?.id } }
  if (path === '/credentials') return { credential: { user_id: owner?.id } }
  const noun = path.split('/')[1]!.replace(/s$/, '')
  return ['user', 'group', 'project'].includes(noun) && path.split('/').length === 2 ? { [noun]: { domain_id: domain } } : {}
}
