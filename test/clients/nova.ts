import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { Walk } from './neutron.ts'
import { openClient } from './session.ts'

/** Debian's unmodified nova, where it is installed: it prints tables only, so what they say is looked for. */
export function novaWalks(env: Record<string, string>): Walk[] {
  if (!existsSync('/usr/lib/python3/dist-packages/novaclient/shell.py')) return []
  return [
    {
      name: 'nova: lists, a server and its life, quotas, services',
      async run() {
        const nova = openClient(env, 'novaclient.shell')
        try {
          for (const list of [
            'list --all-tenants',
            'flavor-list',
            'keypair-list',
            'server-group-list',
            'aggregate-list',
            'usage-list',
            'limits',
          ])
            await nova.run(list)
          assert.match(await nova.run('version-list'), /v2\.1/)
          assert.match(await nova.run('availability-zone-list'), /nova/)
          assert.match(await nova.run('hypervisor-list'), /host-3/)
          assert.equal((await nova.run('service-list')).match(/nova-compute/g)?.length, 3)
          await nova.run('boot --flavor m1.tiny --image mini --nic net-name=private --meta a=b --poll old')
          assert.match(await nova.run('show old'), /\| status +\| ACTIVE/)
          assert.match(await nova.run('list'), /old.*private=10\.0\.0\./)
          const reach = async (status: string) => {
            for (let tries = 0; !new RegExp(`\\| status +\\| ${status} `).test(await nova.run('show old')); tries++)
              assert.ok(tries < 200, `not ${status}`)
          }
          for (const [action, status] of Object.entries({
            pause: 'PAUSED',
            unpause: 'ACTIVE',
            stop: 'SHUTOFF',
            start: 'ACTIVE',
          })) {
            await nova.run(`${action} old`)
            await reach(status)
          }
          for (const action of ['reboot --poll', 'lock', 'unlock']) await nova.run(`${action} old`)
          await nova.run('update --name older old')
          await nova.run('meta older set c=d')
          assert.match(await nova.run('instance-action-list older'), /create/)
          assert.match(await nova.run('interface-list older'), /10\.0\.0\./)
          await nova.run('console-log older')
          assert.match(await nova.run('quota-show'), /instances/)
          await nova.run('delete older')
          const none = await nova.attempt('show nonsense')
          assert.equal(none.code, 1)
          assert.match(none.err, /No server with a name or ID of 'nonsense' exists/)
        } finally {
          nova.close()
        }
      },
    },
  ]
}
