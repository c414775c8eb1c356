import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { OpenstackClient } from '../session.ts'

export type Row = Record<string, string | number | boolean | null>
export type World = {
  folder: string
  /** Somebody else's client, by what differs in its OS_ variables: within a process this client remembers who it was. */
  other(env: Record<string, string>): OpenstackClient
}
export type Step = { name: string; run(client: OpenstackClient, world: World): Promise<void> }

const list = (client: OpenstackClient, command: string) => client.json<Row[]>(command)
const show = (client: OpenstackClient, command: string | string[]) => client.json<Row>(command)
const values = (rows: Row[], column: string) => rows.map((row) => row[column])

/** Every noun of identity, from its creation to its end, each looked at in between. */
export const identitySteps: Step[] = [
  {
    name: 'domain, project',
    async run(client) {
      const domain = await show(client, 'domain create --description one w1')
      await client.run('domain set --description two w1')
      assert.equal((await show(client, `domain show ${domain['id']}`))['description'], 'two')
      assert.ok(values(await list(client, 'domain list'), 'Name').includes('w1'))
      await client.run('project create --domain w1 --tag blue p1')
      await client.run('project create --domain w1 --parent p1 child')
      await client.run(['project', 'set', '--domain', 'w1', '--description', 'a b', '--tag', 'red', '--property', 'k=v', 'p1'])
      const project = await show(client, 'project show --domain w1 --children p1')
      assert.deepEqual([project['description'], project['k']], ['a b', 'v'])
      assert.equal(Object.keys(project['subtree'] as unknown as object).length, 1)
      assert.deepEqual(values(await list(client, 'project list --domain w1 --tags red'), 'Name'), ['p1'])
      assert.equal((await client.attempt('project delete --domain w1 p1')).code, 1)
      await client.run('project delete --domain w1 child')
      await client.run('project delete --domain w1 p1')
      await client.run('domain set --disable w1')
      await client.run('domain delete w1')
      assert.equal((await client.attempt('domain show w1')).code, 1)
    },
  },
  {
    name: 'user, group, password',
    async run(client, { other }) {
      await client.run('user create --password one --email u@example.test wu')
      await client.run('user set --description dd --email v@example.test wu')
      assert.equal((await show(client, 'user show wu'))['email'], 'v@example.test')
      assert.ok(values(await list(client, 'user list --long'), 'Email').includes('v@example.test'))
      await client.run('group create --description one wg')
      await client.run('group set --description two wg')
      assert.equal((await show(client, 'group show wg'))['description'], 'two')
      await client.run('group add user wg wu')
      assert.match(await client.run('group contains user wg wu'), /wu in group wg/)
      assert.deepEqual(values(await list(client, 'user list --group wg'), 'Name'), ['wu'])
      assert.deepEqual(values(await list(client, 'group list --user wu'), 'Name'), ['wg'])
      await client.run('group remove user wg wu')
      assert.equal((await list(client, 'user list --group wg')).length, 0)
      await client.run('role add --user wu --project demo member')
      const self = (password: string) => other({ OS_USERNAME: 'wu', OS_PASSWORD: password, OS_PROJECT_NAME: 'demo' })
      await self('one').run('user password set --original-password one --password two')
      assert.ok((await show(self('two'), 'token issue'))['id'])
      assert.equal((await self('one').attempt('token issue')).code, 1)
      await client.run('group delete wg')
      await client.run('user delete wu')
    },
  },
  {
    name: 'role, assignment, implied role',
    async run(client) {
      for (const name of ['r1', 'r2']) await client.run(`role create ${name}`)
      await client.run('role set --description dd r1')
      assert.equal((await show(client, 'role show r1'))['description'], 'dd')
      assert.ok(values(await list(client, 'role list'), 'Name').includes('r2'))
      await client.run('implied role create --implied-role r2 r1')
      assert.ok((await list(client, 'implied role list')).some((row) => row['Prior Role Name'] === 'r1'))
      await client.run('user create --password one ru')
      await client.run('role add --user ru --project demo r1')
      await client.run('role add --user ru --system all r1')
      await client.run('role add --user ru --domain default --inherited r1')
      assert.equal((await list(client, 'role assignment list --user ru')).length, 3)
      const effective = await list(client, 'role assignment list --user ru --project demo --effective --names')
      assert.deepEqual([...new Set(values(effective, 'Role'))].sort(), ['r1', 'r2'])
      await client.run('role remove --user ru --domain default --inherited r1')
      await client.run('role remove --user ru --system all r1')
      await client.run('role remove --user ru --project demo r1')
      assert.equal((await list(client, 'role assignment list --user ru')).length, 0)
      await client.run('implied role delete --implied-role r2 r1')
      await client.run('user delete ru')
      await client.run('role delete r1 r2')
    },
  },
  {
    name: 'token, catalog',
    async run(client) {
      const { id } = await show(client, 'token issue')
      await client.run(`token revoke ${id}`)
      assert.ok(values(await list(client, 'catalog list'), 'Name').includes('keystone'))
      assert.equal((await show(client, 'catalog show glance'))['type'], 'image')
    },
  },
  {
    name: 'service, region, endpoint, endpoint group',
    async run(client, { folder }) {
      const service = await show(client, 'service create --name ws --description one walk')
      await client.run(`service set --description two ${service['id']}`)
      assert.equal((await show(client, 'service show ws'))['description'], 'two')
      assert.ok(values(await list(client, 'service list --long'), 'Type').includes('walk'))
      await client.run('region create --description one W1')
      await client.run('region create --parent-region W1 W2')
      await client.run('region set --description two W1')
      assert.equal((await show(client, 'region show W1'))['description'], 'two')
      assert.deepEqual(values(await list(client, 'region list --parent-region W1'), 'Region'), ['W2'])
      const { id } = await show(client, 'endpoint create --region W1 ws public http://192.0.2.9/a')
      await client.run(`endpoint set --url http://192.0.2.9/b ${id}`)
      assert.equal((await show(client, `endpoint show ${id}`))['url'], 'http://192.0.2.9/b')
      assert.deepEqual(values(await list(client, 'endpoint list --service ws'), 'ID'), [id])
      await client.run(`endpoint add project ${id} demo`)
      assert.deepEqual(values(await list(client, `endpoint list --project demo`), 'ID'), [id])
      await client.run(`endpoint remove project ${id} demo`)
      writeFileSync(`${folder}/filters.json`, JSON.stringify({ service_id: service['id'] }))
      const group = await show(client, `endpoint group create --description one eg ${folder}/filters.json`)
      await client.run(`endpoint group set --description two ${group['id']}`)
      assert.equal((await show(client, `endpoint group show ${group['id']}`))['description'], 'two')
      await client.run('endpoint group add project eg demo')
      assert.deepEqual(values(await list(client, 'endpoint group list --project demo'), 'Name'), ['eg'])
      await client.run('endpoint group remove project eg demo')
      assert.deepEqual(values(await list(client, 'endpoint group list'), 'Name'), ['eg'])
      await client.run('endpoint group delete eg')
      await client.run(`endpoint delete ${id}`)
      await client.run('service delete ws')
      await client.run('region delete W2 W1')
    },
  },
  {
    name: 'credential, ec2 credentials',
    async run(client) {
      const { id } = await show(client, 'credential create --type cert admin text')
      await client.run(`credential set --user admin --type cert --data other ${id}`)
      assert.equal((await show(client, `credential show ${id}`))['blob'], 'other')
      assert.ok(values(await list(client, 'credential list --type cert'), 'ID').includes(id!))
      await client.run(`credential delete ${id}`)
      const { access } = await show(client, 'ec2 credentials create')
      assert.equal((await show(client, `ec2 credentials show ${access}`))['access'], access)
      assert.ok(values(await list(client, 'ec2 credentials list'), 'Access').includes(access!))
      await client.run(`ec2 credentials delete ${access}`)
    },
  },
  {
    name: 'application credential, access rule',
    async run(client, { folder, other }) {
      const rules = [{ service: 'identity', method: 'GET', path: '/v3/auth/catalog' }]
      writeFileSync(`${folder}/rules.json`, JSON.stringify(rules))
      const made = await show(
        client,
        `application credential create --secret s3 --role member --description dd --access-rules ${folder}/rules.json ac`,
      )
      assert.deepEqual(values(await list(client, 'application credential list'), 'Name'), ['ac'])
      assert.equal((await show(client, 'application credential show ac'))['id'], made['id'])
      const program = other({
        OS_AUTH_TYPE: 'v3applicationcredential',
        OS_APPLICATION_CREDENTIAL_ID: String(made['id']),
        OS_APPLICATION_CREDENTIAL_SECRET: 's3',
        ...{ OS_USERNAME: '', OS_PASSWORD: '', OS_PROJECT_NAME: '', OS_USER_DOMAIN_NAME: '', OS_PROJECT_DOMAIN_NAME: '' },
      })
      assert.ok((await show(program, 'token issue'))['id'])
      const [rule] = await list(client, 'access rule list')
      assert.equal((await show(client, `access rule show ${rule!['ID']}`))['path'], '/v3/auth/catalog')
      await client.run('application credential delete ac')
      await client.run(`access rule delete ${rule!['ID']}`)
    },
  },
  {
    name: 'trust',
    async run(client) {
      const { id } = await show(client, 'trust create --project admin --role member --impersonate admin demo')
      assert.equal((await show(client, `trust show ${id}`))['impersonation'], true)
      assert.deepEqual(values(await list(client, 'trust list'), 'ID'), [id])
      await client.run(`trust delete ${id}`)
      assert.deepEqual(await list(client, 'trust list'), [])
    },
  },
  {
    name: 'registered limit, limit',
    async run(client) {
      const made = await show(client, 'registered limit create --service glance --default-limit 10 --description one walks')
      const id = made['id']
      await client.run(`registered limit set --default-limit 20 ${id}`)
      assert.equal((await show(client, `registered limit show ${id}`))['default_limit'], 20)
      assert.ok(values(await list(client, 'registered limit list'), 'ID').includes(id!))
      const limit = await show(client, 'limit create --project demo --service glance --resource-limit 15 walks')
      await client.run(`limit set --resource-limit 16 ${limit['id']}`)
      assert.equal((await show(client, `limit show ${limit['id']}`))['resource_limit'], 16)
      assert.deepEqual(values(await list(client, 'limit list --project demo'), 'ID'), [limit['id']])
      await client.run(`limit delete ${limit['id']}`)
      await client.run(`registered limit delete ${id}`)
    },
  },
  {
    name: 'policy',
    async run(client, { folder }) {
      writeFileSync(`${folder}/policy.json`, '{"a": "b"}')
      writeFileSync(`${folder}/other.json`, '{"a": "c"}')
      const { id } = await show(client, `policy create --type application/json ${folder}/policy.json`)
      await client.run(`policy set --rules ${folder}/other.json ${id}`)
      assert.match(String((await show(client, `policy show ${id}`))['rules']), /"c"/)
      assert.deepEqual(values(await list(client, 'policy list'), 'ID'), [id])
      await client.run(`policy delete ${id}`)
    },
  },
]
