import { done, machine, rest, sleep } from '../../../kit/work/machine.ts'
import { silentAfter } from '../domain/homes.ts'
import { forgetHost, hostKind, takeIn } from '../domain/hosts.ts'
import type { Store } from '../domain/store.ts'

type Host = { name: string; heartbeat_at: number }
type State = 'watch' | 'forget' | 'failed'

const lookSeconds = 30

/**
 * The watch over one host: while it lives it takes in routers and DHCP servers that nobody living carries, so that those of a dead host
 * move as soon as any other host looks.
 */
export const hostWork = (store: Store) =>
  machine<Host, State>({
    kind: hostKind,
    first: 'watch',
    teardown: 'forget',
    failed: 'failed',
    load: (name) => store.read.selectFrom('network_host').selectAll().where('name', '=', name).executeTakeFirst(),
    steps: {
      async watch(host) {
        if (host.heartbeat_at <= store.now() - silentAfter) return sleep(lookSeconds)
        const moved = await store.change(takeIn)
        return sleep(
          lookSeconds,
          moved.length > 0 ? { reason: `looked after ${moved.length} without a living host`, detail: { moved } } : {},
        )
      },
      async forget(host) {
        await store.change((change) => forgetHost(change, host.name))
        return done()
      },
      failed: async () => rest(),
    },
    async onFailure() {},
  })
