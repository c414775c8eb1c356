/** A to C of the article: one host, then a second. */
import assert from 'node:assert/strict'
import type { SimHost } from '../hosts/hosts.ts'
import { prove, until } from '../installed.ts'
import { addresses, line, says, type World } from './world.ts'

const clone = '/srv/clone/bin/packstack'

/** Killed with -9 at random moments; whatever it left, the next run must end well. */
async function killed(host: SimHost, times: number, upToSeconds: number, ...argv: string[]): Promise<void> {
  const delays = Array.from({ length: times }, () => (0.3 + Math.random() * upToSeconds).toFixed(1))
  await prove(`killed with -9 after ${delays.join(', ')} s`, async () => {
    for (const delay of delays) await host.run('timeout', '-s', 'KILL', delay, ...argv)
  })
}

export async function oneHost({ first, typed }: World): Promise<void> {
  await killed(first, 5, 4, clone, '--allinone')
  await line('literal', 'A5', 'packstack --allinone, after all that', async () => {
    says(await first.run(clone, '--allinone'), 0, /Installing:\n(.* \[ DONE \]\n)+\n/, /keystonerc_admin was made/)
  })
  await line('literal', 'A6', 'again changes nothing', async () => {
    says(await first.run('packstack', '--allinone'), 0, /Nothing was changed/)
  })
  await line('literal', 'A7', 'three files in the home of root', async () => {
    const names = (await first.sh('ls /root')).trim().split('\n')
    assert.equal(names.length, 3, names.join())
    assert.match(names.join(), /^keystonerc_admin,keystonerc_demo,packstack-answers-\d{8}-\d{6}\.txt$/)
    assert.match(await first.sh('stat -c %a /root/*'), /^600\n600\n600\n$/)
  })
  await line('literal', 'B1', 'source .keystonerc_admin is a slip: no such file', async () => {
    says(await first.run('bash', '-c', 'cd /root; source .keystonerc_admin'), 1, /No such file/)
  })
  await line('corrected', 'B1', 'source keystonerc_admin gives the prompt', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's expansion of its prompt
    const said = await first.run('bash', '-c', 'cd /root; source keystonerc_admin; echo "${PS1@P}"')
    says(said, 0, /^\[root@stack-kvm110 ~\(keystone_admin\)\]# $/m)
  })
  await line('literal', 'B2', 'nova-manage service list: five rows, all :-)', async () => {
    const rows = (await serviceRows({ typed })).map((row) => row.slice(0, 5).join(' '))
    assert.deepEqual(rows.toSorted(), [
      'nova-cert stack-kvm110 internal enabled :-)',
      'nova-compute stack-kvm110 nova enabled :-)',
      'nova-conductor stack-kvm110 internal enabled :-)',
      'nova-consoleauth stack-kvm110 internal enabled :-)',
      'nova-scheduler stack-kvm110 internal enabled :-)',
    ])
  })
}

/** Binary, host, zone, status, state, date and time of each. */
export async function serviceRows({ typed }: Pick<World, 'typed'>): Promise<string[][]> {
  const text = says(await typed('nova-manage service list'), 0, /^Binary +Host +Zone +Status +State +Updated_At/)
  const rows = text.trim().split('\n').slice(1)
  return rows.map((row) => row.trim().split(/\s+/))
}

export const stateOf = async (world: Pick<World, 'typed'>, host: string): Promise<string | undefined> =>
  (await serviceRows(world)).find(([binary, name]) => binary === 'nova-compute' && name === host)?.[4]

export async function secondHost(world: World): Promise<void> {
  const { first } = world
  const answers = (await first.sh('ls /root/packstack-answers-*.txt')).trim()
  const again = ['packstack', `--answer-file=${answers}`]
  await first.sh(`cp ${answers} /root/before.txt`)
  await line('literal', 'C2', 'an old name beside the new one is told, not passed over', async () => {
    await first.sh(`cp ${answers} /root/both.txt; echo CONFIG_NOVA_COMPUTE_HOSTS=${addresses.second} >>/root/both.txt`)
    says(
      await first.run('packstack', '--answer-file=/root/both.txt', '--dry-run'),
      0,
      /CONFIG_NOVA_COMPUTE_HOSTS is not read: it is CONFIG_COMPUTE_HOSTS today, and line \d+/,
    )
    await first.sh('rm /root/both.txt')
  })
  await first.sh(
    `sed -i 's/^CONFIG_COMPUTE_HOSTS=.*/CONFIG_NOVA_COMPUTE_HOSTS=${addresses.second}/; s/^CONFIG_NETWORK_HOSTS=/CONFIG_NOVA_NETWORK_HOSTS=/' ${answers}
     printf 'CONFIG_NOVA_COMPUTE_PRIVIF=eth1\\nCONFIG_NOVA_NETWORK_PRIVIF=eth1\\n' >>${answers}`,
  )
  await line('literal', 'C1', 'the keys of nova-network are accepted, with a warning and what to use', async () => {
    const said = await first.run(...(again as [string]), '--dry-run')
    says(
      said,
      0,
      /CONFIG_NOVA_COMPUTE_PRIVIF, CONFIG_NOVA_NETWORK_PRIVIF/,
      /nova-network is gone/,
      /Instead: .*CONFIG_NEUTRON_OVS/,
    )
  })
  await line('literal', 'C2', 'the plan: one is added, the other kept', async () => {
    const said = await first.run(...(again as [string]), '--dry-run')
    says(said, 0, /CONFIG_NOVA_COMPUTE_HOSTS is read as CONFIG_COMPUTE_HOSTS/)
    says(
      said,
      0,
      /added +192\.168\.1\.64 \(stack-01\)/,
      /kept +192\.168\.1\.110 \(stack-kvm110\): no longer listed as a compute host, not removed/,
    )
  })
  await line('literal', 'C3', 'CONFIG_NOVA_NETWORK_HOSTS stays the first host', async () => {
    says(await first.run(...(again as [string]), '--dry-run'), 0, /CONFIG_NOVA_NETWORK_HOSTS is read as CONFIG_NETWORK_HOSTS/)
  })
  await killed(first, 5, 5, ...again)
  await line('literal', 'C4', 'packstack --answer-file, after all that', async () => {
    says(await first.run(...(again as [string])), 0)
    says(await first.run(...(again as [string])), 0, /Nothing was changed/)
  })
  await line('literal', 'C5', 'nova-compute stack-01 nova enabled :-)', async () => {
    await until('stack-01', 60, async () => (await stateOf(world, 'stack-01')) === ':-)')
    const rows = (await serviceRows(world))
      .filter(([binary]) => binary === 'nova-compute')
      .map((row) => row.slice(0, 5).join(' '))
    assert.deepEqual(rows, ['nova-compute stack-kvm110 nova enabled :-)', 'nova-compute stack-01 nova enabled :-)'])
  })
  await first.sh('rm /root/before.txt')
}
