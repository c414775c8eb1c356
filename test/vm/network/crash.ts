import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import type { HostDhcp, HostRouter } from '../../../src/agents/document.ts'
import type { WholePort } from '../../../src/agents/port/sample.ts'
import { CommandFailed, type Exec } from '../../../src/kit/exec/exec.ts'
import type { Log } from '../../../src/kit/log.ts'
import { startSwitch } from './switch.ts'
import { anyone, type Documents, internal, openHost, segment } from './world.ts'

type Proof = (sentence: string, check: () => Promise<unknown>) => Promise<void>

/** Runs so many programs and then none: what the host sees of an agent that is killed. */
function dying(exec: Exec, after: number): Exec & { ran: number } {
  const dead = { ran: 0 }
  const live = async <T>(argv: readonly string[], run: () => Promise<T>): Promise<T> => {
    if (dead.ran++ >= after) throw new CommandFailed(argv, -1, 'the agent was killed')
    return run()
  }
  return Object.assign(dead, {
    attempt: (argv: readonly string[], options = {}) => live(argv, () => exec.attempt(argv, options)),
    run: (argv: readonly string[], options = {}) => live(argv, () => exec.run(argv, options)),
  })
}

const net = segment('99999999-0000-4000-8000-000000000009')
const guest: WholePort = {
  ...internal('91000000-0000-4000-8000-000000000001', 'tap91000000-00', 'fa:16:3e:00:07:01', ['10.7.0.5'], net),
  kind: 'vm',
  guarded: true,
  rules: [anyone('egress')],
}
const served = internal('92000000-0000-4000-8000-000000000001', 'tapdhcpz', 'fa:16:3e:00:07:02', ['10.7.0.2'], net)
const inner = internal('93000000-0000-4000-8000-000000000001', 'qr-z', 'fa:16:3e:00:07:03', ['10.7.0.1'], net)
const router: HostRouter = {
  id: '94000000-0000-4000-8000-000000000001',
  external: undefined,
  internal: [{ portId: inner.id, device: inner.device, mac: inner.mac, mtu: 1450, addresses: [{ ip: '10.7.0.1', prefix: 24 }] }],
  floatingIps: [],
  routes: [],
}
const dhcp: HostDhcp = {
  networkId: net.networkId,
  portId: served.id,
  device: served.device,
  mac: served.mac,
  mtu: 1450,
  addresses: [{ ip: '10.7.0.2', prefix: 24 }],
  domain: 'openstacklocal',
  subnets: [
    {
      id: 's',
      cidr: '10.7.0.0/24',
      gatewayIp: '10.7.0.1',
      dns: [],
      routes: [],
      hosts: [{ mac: guest.mac, ip: '10.7.0.5', hostname: 'vm' }],
    },
  ],
  metadata: false,
}
const wanted: Documents = { port: [guest, served, inner], router: [router], dhcp: [dhcp] }
const nothing: Documents = { port: [], router: [], dhcp: [] }

/** Kills the agents after programs they run, on the way up and on the way down. */
export async function proveCrashes({
  exec,
  log,
  dir,
  proof,
}: {
  exec: Exec
  log: Log
  dir: string
  proof: Proof
}): Promise<void> {
  const ovs = await startSwitch(exec, `${dir}/crash-ovs`)
  const open = (by: Exec) => openHost({ exec: by, log, dir: `${dir}/crash`, ovsDir: ovs.dir })
  /** Gives how many programs were run; with a limit, dies there. */
  const go = async (documents: Documents, limit: number): Promise<number> => {
    const by = dying(exec, limit)
    const host = open(by)
    await host.settle(documents).catch(() => {})
    await host.close()
    return by.ran
  }
  const reach = async (documents: Documents) => {
    const host = open(exec)
    const told = await host.settle(documents)
    const inventory = await host.agents().port.inventory()
    await host.close()
    return { told, inventory }
  }
  const isReady = async () => {
    const { told } = await reach(wanted)
    for (const port of told.port) assert.deepEqual([port.wired, port.error], [true, undefined])
    assert.deepEqual([told.router[0]?.ready, told.dhcp[0]?.ready], [true, true])
  }
  const isEmpty = async () => {
    const { told, inventory } = await reach(nothing)
    assert.deepEqual([told, inventory.ports], [nothing, []])
    assert.deepEqual(
      (await readdir('/run/netns')).filter((name) => name.startsWith('q')),
      [],
    )
    assert.deepEqual(
      [await readdir(`${dir}/crash/namespaces`).catch(() => []), await readdir(`${dir}/crash-dhcp`).catch(() => [])],
      [[], []],
    )
    assert.doesNotMatch(await exec.run(['nft', 'list', 'ruleset']), /tap91/)
    assert.doesNotMatch(await exec.run(['ip', '-br', 'link']), /tap91|tapdhcpz|qr-z|atap-/)
  }

  await reach(nothing)
  const steps = { up: await go(wanted, Number.POSITIVE_INFINITY), down: await go(nothing, Number.POSITIVE_INFINITY) }
  await proof(`killed after every second of ${steps.up} programs on the way up, a new agent gets there`, async () => {
    for (let limit = 0; limit < steps.up; limit += 2) {
      await go(wanted, limit)
      await isReady().catch((error) => assert.fail(`after ${limit}: ${(error as Error).message}`))
      await isEmpty()
    }
  })
  await proof(`killed after the other ones and then told to have nothing, nothing is left`, async () => {
    for (let limit = 1; limit < steps.up; limit += 2) {
      await go(wanted, limit)
      await isEmpty().catch((error) => assert.fail(`after ${limit}: ${(error as Error).message}`))
    }
  })
  await proof(`killed after every second of ${steps.down} programs on the way down, a new agent leaves nothing`, async () => {
    for (let limit = 0; limit < steps.down; limit += 2) {
      await reach(wanted)
      await go(nothing, limit)
      await isEmpty().catch((error) => assert.fail(`after ${limit}: ${(error as Error).message}`))
    }
  })
}
