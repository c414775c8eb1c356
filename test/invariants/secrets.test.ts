import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { openLog } from '../../src/kit/log.ts'
import { serviceNames } from '../../src/main/services.ts'
import { serverWorld } from '../../src/services/compute/test/world.ts'
import type { Client, TestCloud } from '../cloud.ts'

type Secrets = Record<string, string>

/** A cloud that was told secrets in every way there is, well and badly, and every line that it logged meanwhile. */
async function toldSecrets(t: TestContext) {
  const lines: string[] = []
  const log = openLog({ level: 'debug', write: (line) => lines.push(line) })
  const world = await serverWorld(t, { identity: true, log })
  const anybody = world.withToken(undefined)
  const secrets: Secrets = {
    password: 'Planted-password-1',
    'new password': 'Planted-password-2',
    'user data': 'planted user data',
  }

  const user = (await world.admin.identity.post('/users', { user: { name: 'ann', password: secrets['password'] } })).body.user
  const project = (await world.admin.identity.post('/projects', { project: { name: 'anns' } })).body.project
  const role = (await world.admin.identity.get('/roles?name=member')).body.roles[0]
  await world.admin.identity.put(`/projects/${project.id}/users/${user.id}/roles/${role.id}`)
  const signIn = (password: string | undefined) =>
    anybody.identity.post('/auth/tokens', {
      auth: {
        identity: { methods: ['password'], password: { user: { id: user.id, password } } },
        scope: { project: { id: project.id } },
      },
    })
  const change = { user: { original_password: secrets['password'], password: secrets['new password'] } }
  assert.equal((await anybody.identity.post(`/users/${user.id}/password`, change)).status, 204)
  assert.equal((await signIn(secrets['password'])).status, 401)
  const signedIn = await signIn(secrets['new password'])
  assert.equal(signedIn.status, 201, JSON.stringify(signedIn.body))
  secrets['token'] = signedIn.headers['x-subject-token']!
  const ann = world.withToken(secrets['token'])
  const name = { application_credential: { name: 'robot' } }
  const robot = (await ann.identity.post(`/users/${user.id}/application_credentials`, name)).body.application_credential
  secrets['secret of an application credential'] = robot.secret

  const server = {
    name: 'web',
    flavorRef: 'small',
    imageRef: world.image,
    networks: 'none',
    user_data: secrets['user data'],
  }
  world.hosts[0]!.hypervisor.faults.bootFails = 'broken'
  const asked = await ann.compute.post('/servers', { server }, { version: '2.90' })
  assert.equal(asked.status, 202, JSON.stringify(asked.body))
  secrets['password of a server'] = asked.body.server.adminPass
  const pair = await ann.compute.post('/os-keypairs', { keypair: { name: 'k' } }, { version: '2.10' })
  secrets['private key'] = pair.body.keypair.private_key.split('\n')[1]
  await world.settle()
  await sayBadly(world, ann, user.id, secrets)
  return { world, ann, lines, secrets }
}

/** What is refused must not be remembered either. */
async function sayBadly(world: TestCloud, client: Client, userId: string, secrets: Secrets) {
  for (const secret of Object.values(secrets)) {
    for (const body of [{ user: { password: [secret] } }, { [secret]: secret }]) {
      assert.ok((await client.identity.patch(`/users/${userId}`, body)).status >= 400)
      assert.ok((await client.compute.post('/servers', body)).status >= 400)
    }
    const broken = Buffer.from(`{"password": "${secret}" x}`)
    const answer = await client.identity.post('/auth/tokens', broken, { headers: { 'content-type': 'application/json' } })
    assert.equal(answer.status, 400)
    assert.ok((await world.withToken(secret).identity.get('/users')).status >= 400)
  }
}

const found = (text: string, secrets: Secrets, but: string[] = []) =>
  Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) && !but.includes(name) ? [name] : []))

test('no secret is ever logged, whether it was right or wrong where it was said', async (t) => {
  const { lines, secrets } = await toldSecrets(t)
  assert.deepEqual(
    lines.flatMap((line) => found(line, secrets).map((name) => `${name}: ${line}`)),
    [],
  )
  assert.ok(lines.length > 50, `${lines.length} lines`)
})

test('no list shows a secret, not even to whom it belongs or to an administrator', async (t) => {
  const { world, ann, secrets } = await toldSecrets(t)
  const told: string[] = []
  for (const service of serviceNames) {
    const { endpoints, dialect } = world.cloud.services[service]
    const version = dialect.versions ? `${dialect.versions.major}.${dialect.versions.max}` : ''
    const lists = endpoints.filter(({ method, path }) => method === 'GET' && !path.includes('{'))
    for (const { path } of lists) {
      for (const client of [world.admin, ann]) {
        const { body } = await client[service].get(path, { version })
        // Compute shows administrators what a server was made with.
        told.push(...found(JSON.stringify(body), secrets, ['user data']).map((name) => `${service} ${path}: ${name}`))
      }
    }
  }
  assert.deepEqual(told, [])
})

test('what users keep secret does not stand in the database as they said it', async (t) => {
  const { world, secrets } = await toldSecrets(t)
  const { read, kind } = world.cloud.db
  if (kind !== 'sqlite') return t.skip('the tables are listed as SQLite does')
  const tables = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(read)
  const told: string[] = []
  for (const { name } of tables.rows) {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(read)
    told.push(...found(JSON.stringify(rows), secrets).map((secret) => `${name}: ${secret}`))
  }
  // A host needs it to make the guest.
  assert.deepEqual(told, ['compute_server: user data'])
})
