import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { Walk } from './neutron.ts'
import { type OpenstackClient, openClient } from './session.ts'

type Shown = { status: string; 'OS-EXT-SRV-ATTR:host': string; flavor: unknown }
type Listed = { Id: number; UUID: string; Status: string; Type: string; 'Source Compute': string; 'Dest Compute': string }

/** Servers that go from host to host, as admins type it. */
export function migrationWalks(env: Record<string, string>): Walk[] {
  return [
    {
      name: 'openstack: live and cold migration, resize, confirm, revert, list',
      run: () => withClient({ ...env, OS_COMPUTE_API_VERSION: '2.90' }, 'openstackclient.shell', openstack),
    },
    ...(existsSync('/usr/lib/python3/dist-packages/novaclient/shell.py')
      ? [{ name: 'nova: live-migration, migrate, resize, migration-list', run: () => withClient(env, 'novaclient.shell', nova) }]
      : []),
  ]
}

async function withClient(env: Record<string, string>, module: string, run: (client: OpenstackClient) => Promise<void>) {
  const client = openClient(env, module)
  try {
    await run(client)
  } finally {
    client.close()
  }
}

async function openstack(client: OpenstackClient) {
  // Without a version the client asks for shared disks, which is refused here as anywhere without them.
  const show = () => client.json<Shown>(`server show traveller`)
  const reach = async (status: string) => {
    for (let tries = 0; ; tries++) {
      const shown = await show()
      if (shown.status === status) return shown['OS-EXT-SRV-ATTR:host']
      assert.ok(tries < 200, `${shown.status}, not ${status}`)
    }
  }
  await client.run('server create --flavor m1.tiny --image mini --network private --wait traveller')
  const first = await reach('ACTIVE')
  await client.run(`server migrate --live-migration --wait traveller`)
  const second = await reach('ACTIVE')
  assert.notEqual(second, first)
  await client.run(`server migrate --live-migration --host ${first} --wait traveller`)
  assert.equal(await reach('ACTIVE'), first)
  await client.run(`server migrate --wait traveller`)
  assert.notEqual(await reach('VERIFY_RESIZE'), first)
  await client.run('server migration confirm traveller')
  const third = await reach('ACTIVE')
  await client.run(`server migrate --host ${first} --wait traveller`)
  await client.run('server migration revert traveller')
  assert.equal(await reach('ACTIVE'), third)
  await client.run('server resize --flavor m1.small --wait traveller')
  await client.run('server resize confirm traveller')
  await reach('ACTIVE')
  assert.match(JSON.stringify((await show()).flavor), /m1.small/)
  const list = await client.json<Listed[]>(`server migration list --server traveller`)
  assert.deepEqual(list.map((one) => `${one.Type} ${one.Status}`).reverse(), [
    'live-migration completed',
    'live-migration completed',
    'migration confirmed',
    'migration reverted',
    'resize confirmed',
  ])
  const gone = await client.attempt(`server migration abort traveller ${list[0]!.Id}`)
  assert.equal(gone.code, 1)
  assert.match(gone.err, /409|Cannot/)
  const self = await client.attempt(`server migrate --host ${await reach('ACTIVE')} traveller`)
  assert.match(self.err, /Cannot migrate to the host where the server exists/)
  await client.run('server delete --wait traveller')
}

async function nova(client: OpenstackClient) {
  const field = async (name: string) => new RegExp(`\\| ${name} +\\| (\\S+)`).exec(await client.run('show walker'))?.[1] ?? ''
  const reach = async (status: string) => {
    for (let tries = 0; (await field('status')) !== status; tries++) assert.ok(tries < 200, `not ${status}`)
    return field('OS-EXT-SRV-ATTR:host')
  }
  await client.run('boot --flavor m1.tiny --image mini --nic net-name=private --poll walker')
  const first = await reach('ACTIVE')
  await client.run('live-migration walker')
  const second = await reach('ACTIVE')
  assert.notEqual(second, first)
  await client.run(`live-migration walker ${first}`)
  assert.equal(await reach('ACTIVE'), first)
  await client.run('migrate --poll walker')
  await reach('VERIFY_RESIZE')
  await client.run('resize-confirm walker')
  await reach('ACTIVE')
  await client.run('resize --poll walker m1.small')
  await client.run('resize-revert walker')
  await reach('ACTIVE')
  assert.match(await client.run('migration-list'), /live-migration/)
  assert.match(await client.run('server-migration-list walker'), /Source Node/)
  const none = await client.attempt('live-migration-abort walker 99999')
  assert.equal(none.code, 1)
  await client.run('delete walker')
}
