import assert from 'node:assert/strict'
import { novaManage } from '../../src/cli/nova-manage/main.ts'
import { operatorCalls } from '../../src/main/operator.ts'
import type { StartedCloud } from '../../src/main/start-cloud.ts'
import type { Walk } from './neutron.ts'

/** The link to the controller is left out: its calls are made here. */
export function novaManageWalks({ cloud }: StartedCloud): Walk[] {
  const calls = operatorCalls(cloud, { hint() {}, ask: async () => undefined }, () => []) as unknown as Record<
    string,
    (host: string, ask: unknown) => Promise<unknown>
  >
  const run = async (command: string) => {
    const [out, err]: [string[], string[]] = [[], []]
    const ask = async (name: string, question?: unknown) =>
      JSON.parse(JSON.stringify((await calls[name]!('', question)) ?? null)) as unknown
    const code = await novaManage(
      command.split(' '),
      (line) => out.push(line),
      (line) => err.push(line),
      ask,
      'stack-kvm110',
    )
    return { code, lines: out, err: err.join('\n') }
  }
  return [
    {
      name: 'nova-manage: service list shows the five names of 2014, and each host; a host goes out of service and comes back',
      async run() {
        const { code, lines } = await run('service list')
        assert.equal(code, 0)
        assert.deepEqual(
          lines.slice(1).map((line) => line.split(/ +/).slice(0, 5).join(' ')),
          [
            ...['conductor', 'cert', 'consoleauth', 'scheduler'].map((name) => `nova-${name} stack-kvm110 internal enabled :-)`),
            ...[1, 2, 3].map((n) => `nova-compute host-${n} nova enabled :-)`),
          ],
        )
        assert.equal(
          lines[0],
          'Binary           Host                                 Zone             Status     State Updated_At',
        )
        assert.equal((await run('service disable --host host-2 --service nova-compute')).code, 0)
        assert.match((await run('service list --host host-2')).lines[1] ?? '', / disabled /)
        assert.equal((await run('service enable --host host-2 --service nova-compute')).code, 0)
        assert.match((await run('service list --host host-2')).lines[1] ?? '', / enabled /)
        assert.equal((await run('service disable --host host-9 --service nova-compute')).code, 2)
      },
    },
    {
      name: 'nova-manage: hosts, guests, flavors, cells and what a host has',
      async run() {
        assert.equal((await run('host list')).lines.length, 5)
        assert.equal((await run('host list --zone nova')).lines.length, 4)
        assert.match((await run('vm list')).lines[0] ?? '', /^instance +node +type/)
        assert.match((await run('flavor list --name m1.tiny')).lines.join(), /^m1\.tiny: Memory: 512MB, VCPUS: 1, Root: 1GB/)
        assert.match((await run('service describe_resource host-1')).lines[1] ?? '', /^host-1 +\(total\) +\d+ +\d+ +\d+$/)
        assert.equal((await run('cell_v2 discover_hosts')).code, 0)
        assert.equal((await run('cell_v2 list_hosts')).lines.length, 7)
        assert.match((await run('cell_v2 list_cells')).lines.join(), /cell1/)
      },
    },
  ]
}
