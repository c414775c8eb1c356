import type { TestContext } from 'node:test'
import { type Answer, type Client, type Json, type TestCloud, type TestCloudOptions, testCloud } from '../../../../test/cloud.ts'

export type SignIn = {
  name?: string
  id?: string
  password?: string
  domain?: string
  scope?: Json
  query?: string
}

export type IdentityCloud = TestCloud & {
  /** Asks for a token by password (default: the admin's, on its project). */
  ask(sign?: SignIn): Promise<Answer>
  /** A client with the token that `ask` gives; throws when it gives none. */
  signIn(sign?: SignIn): Promise<Client & { token: string }>
  /** A client with the token that this `auth` gives. */
  login(auth: Json, headers?: Record<string, string>): Promise<Client & { token: string }>
  /** A token made of another. */
  rescope(token: string, scope?: Json): Promise<Answer>
  /** What the admin's POST answers with, below the resource's key. */
  make(path: string, body: Json): Promise<Json>
  roleId(name: string): Promise<string>
  /** Is the token still good? */
  isValid(token: string): Promise<boolean>
}

export const adminProject = { project: { name: 'admin', domain: { id: 'default' } } }

/** A cloud with a real admin; `admin` is one with a token that was handed out. */
export async function identityCloud(
  t: TestContext,
  identitySettings: NonNullable<TestCloudOptions['identitySettings']> = {},
  more: TestCloudOptions = {},
): Promise<IdentityCloud> {
  const cloud = await testCloud(t, { ...more, identity: true, hosts: [], identitySettings })
  const anyone = cloud.withToken(undefined).identity
  const ask: IdentityCloud['ask'] = ({ name = 'admin', id, password = 'secret', domain = 'default', scope, query = '' } = {}) =>
    anyone.post(`/auth/tokens${query}`, {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: id ? { id, password } : { name, domain: { id: domain }, password } },
        },
        ...(scope !== undefined && { scope }),
      },
    })
  const clientOf = (answer: Answer): Client & { token: string } => {
    if (answer.status !== 201) throw new Error(`no token: ${JSON.stringify(answer.body)}`)
    const token = answer.headers['x-subject-token']!
    return { ...cloud.withToken(token), token }
  }
  return {
    ...cloud,
    ask,
    signIn: async (sign = { scope: adminProject }) => clientOf(await ask(sign)),
    login: async (auth, headers = {}) => clientOf(await anyone.post('/auth/tokens', { auth }, { headers })),
    rescope: (token, scope) =>
      anyone.post('/auth/tokens', { auth: { identity: { methods: ['token'], token: { id: token } }, ...(scope && { scope }) } }),
    async make(path, body) {
      const answer = await cloud.admin.identity.post(path, body)
      if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body[Object.keys(body)[0]!]
    },
    async roleId(name) {
      return (await cloud.admin.identity.get(`/roles?name=${name}`)).body.roles[0].id
    },
    isValid: async (token) =>
      (await cloud.admin.identity.head('/auth/tokens', { headers: { 'x-subject-token': token } })).status === 200,
  }
}

/** A user with a role on a project, both new, both in a domain. */
export async function newMember(cloud: IdentityCloud, { role = 'member', domain = 'default', name = 'ann' } = {}) {
  const user = await cloud.make('/users', { user: { name, password: 'pw', domain_id: domain } })
  const project = await cloud.make('/projects', { project: { name: `of-${name}`, domain_id: domain } })
  await cloud.admin.identity.put(`/projects/${project.id}/users/${user.id}/roles/${await cloud.roleId(role)}`)
  const scope = { project: { id: project.id } }
  return { user, project, sign: { id: user.id, password: 'pw', scope } satisfies SignIn }
}
