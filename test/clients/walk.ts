import assert from 'node:assert/strict'
import type { OpenstackClient } from './session.ts'

type Row = Record<string, unknown>
type Step = { name: string; run(client: OpenstackClient, folder: string): Promise<void> }

const names = (rows: Row[]) => rows.map((row) => row['Name'])

/** What users of the client do first, noun by noun, each looking at what the client shows. */
export const walk: Step[] = [
  {
    name: 'identity: token, catalog, services, endpoints, regions',
    async run(client) {
      assert.ok((await client.json<Row>('token issue'))['id'])
      const services = await client.json<Row[]>('service list')
      assert.deepEqual(names(services).sort(), ['glance', 'keystone', 'neutron', 'nova', 'placement'])
      assert.equal((await client.json<Row[]>('endpoint list')).length, 15)
      assert.equal((await client.json<Row[]>('catalog list')).length, 5)
      assert.equal((await client.json<Row[]>('region list'))[0]?.['Region'], 'RegionOne')
    },
  },
  {
    name: 'identity: domain, project, user, role, assignment',
    async run(client) {
      await client.run('domain create --description test d1')
      await client.run('project create --domain d1 --description test p1')
      await client.run('user create --domain d1 --password pw1 u1')
      await client.run('role create r1')
      await client.run('role add --user u1 --user-domain d1 --project p1 --project-domain d1 r1')
      const assigned = await client.json<Row[]>('role assignment list --names --user u1 --user-domain d1')
      assert.equal(assigned.length, 1)
      assert.equal(assigned[0]?.['Role'], 'r1')
      await client.run('user set --domain d1 --email u1@example.test --disable u1')
      assert.equal((await client.json<Row>('user show --domain d1 u1'))['enabled'], false)
      await client.run('project set --domain d1 --name p2 p1')
      assert.deepEqual(names(await client.json<Row[]>('project list --domain d1')), ['p2'])
      await client.run('role remove --user u1 --user-domain d1 --project p2 --project-domain d1 r1')
      await client.run('user delete --domain d1 u1')
      await client.run('project delete --domain d1 p2')
      await client.run('role delete r1')
      await client.run('domain set --disable d1')
      await client.run('domain delete d1')
    },
  },
  {
    name: 'image: create, show, set, list, members, save, delete',
    async run(client, folder) {
      const { writeFileSync, readFileSync } = await import('node:fs')
      writeFileSync(`${folder}/raw`, Buffer.alloc(100_000, 7))
      const made = await client.json<Row>(
        `image create --disk-format raw --container-format bare --file ${folder}/raw --property a=b i1`,
      )
      assert.equal((await client.json<Row>('image show i1'))['status'], 'active')
      await client.run('image set --name i2 --min-ram 64 --tag blue --shared i1')
      const shown = await client.json<Row>('image show i2')
      assert.equal(shown['min_ram'], 64)
      await client.run(`image add project ${made['id']} demo`)
      assert.equal((await client.json<Row[]>(`image member list ${made['id']}`)).length, 1)
      await client.run(`image save --file ${folder}/saved i2`)
      assert.deepEqual(readFileSync(`${folder}/saved`), readFileSync(`${folder}/raw`))
      await client.run('image set --protected i2')
      assert.notEqual((await client.attempt('image delete i2')).code, 0)
      await client.run('image set --unprotected i2')
      await client.run('image delete i2')
    },
  },
  {
    name: 'network: network, subnet, port, router, floating ip, security group',
    async run(client) {
      await client.run('network create n1')
      await client.run('subnet create --network n1 --subnet-range 10.7.0.0/24 --dns-nameserver 192.0.2.53 s1')
      await client.run('port create --network n1 --fixed-ip subnet=s1,ip-address=10.7.0.77 p1')
      assert.match(JSON.stringify((await client.json<Row>('port show p1'))['fixed_ips']), /10\.7\.0\.77/)
      await client.run('router create r1')
      await client.run('router add subnet r1 s1')
      await client.run('router set --external-gateway public r1')
      await client.run('floating ip create --port p1 public')
      const floating = (await client.json<Row[]>('floating ip list')).find((row) => row['Fixed IP Address'] === '10.7.0.77')
      assert.ok(floating)
      await client.run(`floating ip delete ${floating['ID']}`)
      await client.run('security group create g1')
      await client.run('security group rule create --protocol tcp --dst-port 22 --remote-ip 0.0.0.0/0 g1')
      assert.equal((await client.json<Row[]>('security group rule list g1')).length, 3)
      await client.run('port set --security-group g1 p1')
      assert.notEqual((await client.attempt('security group delete g1')).code, 0)
      await client.run('router unset --external-gateway r1')
      await client.run('router remove subnet r1 s1')
      await client.run('router delete r1')
      await client.run('port delete p1')
      await client.run('security group delete g1')
      await client.run('subnet delete s1')
      await client.run('network delete n1')
      assert.ok((await client.json<Row[]>('network agent list')).length >= 4)
      assert.ok((await client.json<Row[]>('extension list --network')).length > 10)
    },
  },
  {
    name: 'compute: flavor, key pair, server and its life',
    async run(client, folder) {
      await client.run('flavor create --ram 128 --disk 1 --vcpus 1 --property x:y=z f1')
      assert.match(JSON.stringify(await client.json<Row>('flavor show f1')), /x:y/)
      const { writeFileSync } = await import('node:fs')
      writeFileSync(
        `${folder}/key.pub`,
        `ssh-ed25519 ${Buffer.concat([Buffer.from('0000000b7373682d6564323535313900000020', 'hex'), Buffer.alloc(32, 5)]).toString('base64')} a@b\n`,
      )
      await client.run(`keypair create --public-key ${folder}/key.pub k1`)
      assert.ok((await client.json<Row>('keypair show k1'))['fingerprint'])
      await client.run('server create --image mini --flavor f1 --network private --key-name k1 --property role=web --wait s1')
      const server = await client.json<Row>('server show s1')
      assert.equal(server['status'], 'ACTIVE')
      assert.match(JSON.stringify(server['addresses']), /private/)
      await client.run('server pause s1')
      await client.run('server unpause s1')
      await client.run('server suspend s1')
      await client.run('server resume s1')
      await client.run('server reboot --wait s1')
      await client.run('server reboot --hard --wait s1')
      await client.run('server stop s1')
      await client.run('server start s1')
      await client.run('server set --name s2 --property a=b s1')
      await client.run('server lock s2')
      await client.run('server unlock s2')
      assert.match(await client.run('console log show s2'), /boot/)
      const address = (await client.json<Row>('floating ip create public'))['floating_ip_address']
      await client.run(`server add floating ip s2 ${address}`)
      assert.match(
        JSON.stringify((await client.json<Row>('server show s2'))['addresses']),
        new RegExp(String(address).replaceAll('.', '\\.')),
      )
      assert.equal((await client.json<Row[]>('server list --name s2')).length, 1)
      assert.ok((await client.json<Row[]>(`server event list ${server['id']}`)).length >= 5)
      await client.run('server delete --wait s2')
      await client.run(`floating ip delete ${address}`)
      await client.run('keypair delete k1')
      await client.run('flavor delete f1')
    },
  },
  {
    name: 'compute: hypervisors, services, zones, limits, quotas, usage of placement',
    async run(client) {
      assert.equal((await client.json<Row[]>('hypervisor list')).length, 3)
      const services = await client.json<Row[]>('compute service list')
      assert.equal(services.filter((row) => row['Binary'] === 'nova-compute' && row['State'] === 'up').length, 3)
      assert.match(await client.run('availability zone list'), /nova/)
      assert.ok((await client.json<Row[]>('limits show --absolute')).length > 5)
      await client.run('quota set --instances 7 --networks 8 demo')
      const quota = JSON.stringify(await client.json<unknown>('quota show demo'))
      assert.match(quota, /7/)
    },
  },
  {
    name: 'a wrong request is refused with a sentence',
    async run(client) {
      const none = await client.attempt('server show nonsense')
      assert.notEqual(none.code, 0)
      assert.match(none.err, /No server|could not be found/i)
      const wrong = await client.attempt('subnet create --network private --subnet-range 10.0.0.0/24 --ip-version 6 x')
      assert.notEqual(wrong.code, 0)
      assert.match(wrong.err, /IP version/)
    },
  },
]
