/** A domain whose people are in Debian's slapd: every answer of the API and of the openstack client. Needs slapd, ldap-utils and python3-openstackclient. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { minute, systemClock } from '../../../src/kit/clock.ts'
import { explainError } from '../../../src/kit/errors.ts'
import { startCloud } from '../../../src/main/start-cloud.ts'
import { openClient } from '../../clients/session.ts'
import { crowd, ldif, oddUid, people, teams } from './people.ts'
import { cloudDn, openSlapd, passwords, suffix } from './slapd.ts'

const folder = mkdtempSync(join(tmpdir(), 'altostack-ldap-'))
const real = systemClock()
let later = 0
const clock = { now: () => real.now() + later }
const slapd = await openSlapd(folder, ldif())
await slapd.start()
const cloud = await startCloud({ hosts: 0, demo: false, clock })
const v3 = `${cloud.urls.identity}/v3`

let failures = 0
async function prove(what: string, proof: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  try {
    await proof()
    console.log(`ok   ${what} (${Math.round(performance.now() - began)} ms)`)
  } catch (error) {
    failures++
    console.log(`FAIL ${what}: ${explainError(error)}`)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape; a wrong look fails the proof.
type Answer = { status: number; body: any; token: string }
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${v3}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    body: text === '' ? undefined : JSON.parse(text),
    token: answer.headers.get('x-subject-token') ?? '',
  }
}
const login = (user: object, password: string, scope?: object) =>
  call('POST', '/auth/tokens', {
    auth: { identity: { methods: ['password'], password: { user: { ...user, password } } }, ...(scope && { scope }) },
  })
const adminToken = (
  await login({ name: 'admin', domain: { id: 'default' } }, 'secret', { project: { name: 'admin', domain: { id: 'default' } } })
).token
const admin = (method: string, path: string, body?: unknown) => call(method, path, body, { 'x-auth-token': adminToken })
const isValid = async (token: string) =>
  (await call('GET', '/auth/tokens', undefined, { 'x-auth-token': adminToken, 'x-subject-token': token })).status

const options = {
  url: slapd.url,
  user: cloudDn,
  password: passwords.cloud,
  suffix,
  user_tree_dn: people,
  user_objectclass: 'inetOrgPerson',
  user_id_attribute: 'uid',
  user_name_attribute: 'uid',
  user_enabled_attribute: 'employeeType',
  group_tree_dn: teams,
  group_name_attribute: 'cn',
}
const { domain } = (await admin('POST', '/domains', { domain: { name: 'corp' } })).body
const configure = async (more: object = {}) => {
  const config = { identity: { driver: 'ldap' }, ldap: { ...options, ...more } }
  assert.ok((await admin('PUT', `/domains/${domain.id}/config`, { config })).status < 300)
}
const named = (name: string) => ({ name, domain: { name: 'corp' } })
const userNames = async (query = ''): Promise<string[]> =>
  (await admin('GET', `/users?domain_id=${domain.id}${query}`)).body.users.map((user: { name: string }) => user.name).sort()

await prove('users and groups are listed, a referral is left alone', async () => {
  await configure()
  assert.deepEqual(await userNames(), ['ann', 'bob', 'off', oddUid].sort())
  assert.deepEqual(await userNames('&name__startswith=b'), ['bob'])
  assert.deepEqual(await userNames('&enabled=false'), ['off'])
  const { groups } = (await admin('GET', `/groups?domain_id=${domain.id}&sort_key=name`)).body
  assert.deepEqual(
    groups.map((group: { name: string; description: string }) => `${group.name}: ${group.description}`),
    ['devs: the devs', 'ops: the ops'],
  )
  const { users } = (await admin('GET', `/groups/${groups[1].id}/users`)).body
  assert.deepEqual(users.map((user: { name: string }) => user.name).sort(), ['ann', 'bob', oddUid].sort())
})

await prove('the right password gets a token, nothing else does, and the answers are the same', async () => {
  assert.equal((await login(named('ann'), 'ann-pw')).status, 201)
  assert.equal((await login(named(oddUid), `${oddUid}-pw`)).body.token.user.name, oddUid)
  const answers = await Promise.all(
    [
      ['ann', 'no'],
      ['nobody', 'no'],
      ['off', 'off-pw'],
      ['ann', ''],
      ['*', 'ann-pw'],
      ['ann)(uid=*', 'ann-pw'],
      ['', ''],
    ].map(async ([name, password]) => JSON.stringify({ ...(await login(named(name!), password!)), token: '' })),
  )
  assert.equal(new Set(answers).size, 1, answers.join('\n'))
  assert.match(answers[0]!, /"status":401/)
})

await prove('Debian’s client gets a token, and the roles of a group', async () => {
  const { project } = (await admin('POST', '/projects', { project: { name: 'corp-p', domain_id: domain.id } })).body
  const env = {
    OS_AUTH_URL: v3,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: 'ann',
    OS_PASSWORD: 'ann-pw',
    OS_USER_DOMAIN_NAME: 'corp',
  }
  const boss = openClient({ ...cloud.env('admin') })
  await boss.run('role add --group ops --group-domain corp --project corp-p --project-domain corp member')
  assert.equal((await boss.json<{ Name: string }[]>('user list --domain corp')).length, 4)
  assert.equal((await boss.json<{ email: string }>('user show --domain corp ann')).email, 'ann@corp.example')
  assert.equal((await boss.attempt('user set --domain corp --email x@y ann')).code, 1)
  boss.close()
  const unscoped = openClient(env)
  assert.match((await unscoped.json<{ user_id: string }>('token issue')).user_id, /^[0-9a-f]{64}$/)
  unscoped.close()
  const ann = openClient({ ...env, OS_PROJECT_NAME: 'corp-p', OS_PROJECT_DOMAIN_NAME: 'corp' })
  const issued = await ann.json<{ project_id: string; user_id: string }>('token issue')
  assert.deepEqual([issued.project_id, issued.user_id.length], [project.id, 64])
  ann.close()
  const wrong = openClient({ ...env, OS_PASSWORD: 'no' })
  assert.match((await wrong.attempt('token issue')).err, /HTTP 401/)
  wrong.close()
})

await prove('who is disabled in the directory loses tokens within five minutes', async () => {
  const { token } = await login(named('bob'), 'bob-pw')
  slapd.change(`dn: uid=bob,${people}\nchangetype: modify\nadd: employeeType\nemployeeType: FALSE\n`)
  assert.equal(await isValid(token), 200)
  later += 5 * minute
  assert.equal(await isValid(token), 404)
  assert.equal((await login(named('bob'), 'bob-pw')).status, 401)
  slapd.change(`dn: uid=bob,${people}\nchangetype: modify\ndelete: employeeType\n`)
  assert.equal((await login(named('bob'), 'bob-pw')).status, 201)
})

await prove('every write is refused', async () => {
  const [ann] = (await admin('GET', `/users?domain_id=${domain.id}&name=ann`)).body.users
  const answers = [
    await admin('POST', '/users', { user: { name: 'x', domain_id: domain.id } }),
    await admin('PATCH', `/users/${ann.id}`, { user: { email: 'x' } }),
    await admin('DELETE', `/users/${ann.id}`),
    await call('POST', `/users/${ann.id}/password`, { user: { original_password: 'ann-pw', password: 'x' } }),
  ]
  for (const { status, body } of answers)
    assert.deepEqual([status, body.error.message], [403, 'LDAP does not support write operations'])
  assert.equal((await login(named('ann'), 'ann-pw')).status, 201)
})

await prove('more people than the server gives at once are an error, and none with pages', async () => {
  await configure({ user_tree_dn: `ou=crowd,${suffix}` })
  const cut = await admin('GET', `/users?domain_id=${domain.id}`)
  assert.deepEqual([cut.status, /size limit/.test(cut.body.error.message)], [503, true])
  await configure({ user_tree_dn: `ou=crowd,${suffix}`, page_size: 200 })
  const began = performance.now()
  assert.equal((await userNames()).length, crowd)
  const first = performance.now()
  assert.equal((await userNames()).length, crowd)
  console.log(
    `     ${crowd} users: ${Math.round(first - began)} ms the first time, ${Math.round(performance.now() - first)} ms the next`,
  )
})

await prove('a filter of the configuration holds for all', async () => {
  await configure({ user_filter: '(|(uid=ann)(uid=off))' })
  assert.deepEqual(await userNames(), ['ann', 'off'])
  assert.equal((await login(named('bob'), 'bob-pw')).status, 401)
})

await prove('ldaps and StartTLS trust the authority of the configuration, and no other', async () => {
  const tries: [object, number][] = [
    [{ url: slapd.ldapsUrl, tls_cacertfile: slapd.caFile }, 201],
    [{ url: slapd.ldapsUrl, tls_cacertdir: folder }, 201],
    [{ url: slapd.ldapsUrl }, 503],
    [{ url: slapd.ldapsUrl, tls_cacertfile: slapd.wrongCaFile }, 503],
    [{ url: slapd.ldapsUrl, tls_cacertfile: '/etc/hostname' }, 503],
    [{ url: slapd.ldapsUrl, tls_req_cert: 'never' }, 201],
    [{ url: slapd.ldapsUrl.replace('127.0.0.1', 'localhost'), tls_cacertfile: slapd.caFile }, 503],
    [{ use_tls: true, tls_cacertfile: slapd.caFile }, 201],
    [{ use_tls: true }, 503],
    [{ use_tls: true, tls_cacertfile: slapd.wrongCaFile }, 503],
    [{ url: slapd.url.replace('127.0.0.1', 'localhost'), use_tls: true, tls_cacertfile: slapd.caFile }, 503],
    [{ url: slapd.url, use_tls: false }, 201],
  ]
  for (const [more, status] of tries) {
    await configure(more)
    assert.equal((await login(named('ann'), 'ann-pw')).status, status, JSON.stringify(more))
  }
})

await prove('a wrong password of the cloud itself is told as such', async () => {
  await configure({ password: 'wrong' })
  const { status, body } = await login(named('ann'), 'ann-pw')
  assert.deepEqual([status, body.error.message], [503, 'The directory of this domain does not know this cloud.'])
})

await prove('a directory that is frozen, or gone, is 503 in bounded time, and other domains never notice', async () => {
  await configure()
  const { token } = await login(named('ann'), 'ann-pw')
  slapd.pause()
  const began = performance.now()
  const [slow, others] = await Promise.all([
    login(named('ann'), 'ann-pw'),
    login({ name: 'admin', domain: { id: 'default' } }, 'secret').then(({ status }) => [status, performance.now() - began]),
  ])
  assert.deepEqual([slow.status, others[0]], [503, 201])
  assert.ok(performance.now() - began < 20_000 && Number(others[1]) < 2000, `${performance.now() - began} ${others[1]}`)
  slapd.resume()
  await slapd.stop()
  assert.equal((await login(named('ann'), 'ann-pw')).status, 503)
  assert.equal((await admin('GET', `/users?domain_id=${domain.id}`)).status, 503)
  assert.equal((await admin('GET', '/users')).status, 200)
  assert.equal(await isValid(token), 200)
  await slapd.start()
  assert.equal((await login(named('ann'), 'ann-pw')).status, 201)
})

await prove('how fast: a login by the directory, one after the other', async () => {
  const began = performance.now()
  for (let n = 0; n < 100; n++) assert.equal((await login(named('ann'), 'ann-pw')).status, 201)
  console.log(`     ${((performance.now() - began) / 100).toFixed(1)} ms each`)
})

await cloud.close()
await slapd.stop()
rmSync(folder, { recursive: true })
process.exit(failures === 0 ? 0 : 1)
