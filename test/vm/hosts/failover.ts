import { prove, until } from '../installed.ts'
import type { SimHost } from './hosts.ts'

/** Routers and DHCP servers stand on another network host once theirs is silent, and not on it any more when it is back. */
export async function failover(controller: SimHost, other: SimHost): Promise<void> {
  const neutron = (line: string) => controller.sh(`. /root/keystonerc_admin; /opt/altostack/bin/neutron ${line}`)
  const agentOn = async ({ name }: SimHost, type: string) => {
    const lines = (await neutron('agent-list -f value -c id -c host -c agent_type')).split('\n')
    return lines.find((line) => line.includes(` ${name} `) && line.endsWith(type))?.split(' ')[0] ?? ''
  }
  const idOf = async (line: string) => (await neutron(`${line} -f value -c id`)).trim().split('\n').at(-1)!
  const [net, router] = [await idOf('net-create moved'), await idOf('router-create moved')]
  await neutron('subnet-create --name moved moved 10.66.0.0/24')
  await neutron('router-interface-add moved moved')
  const names = [`qrouter-${router}`, `qdhcp-${net}`]
  const held = async (host: SimHost) => {
    const there = await host.sh('ip netns list')
    return names.filter((name) => there.includes(name)).length
  }

  await prove('a router and a DHCP server are put on a host by hand', async () => {
    const at = async (type: string) => [await agentOn(controller, type), await agentOn(other, type)] as const
    const [l3, dhcp] = [await at('L3 agent'), await at('DHCP agent')]
    if ((await held(other)) < 2) {
      await until('both somewhere', 30, async () => (await held(controller)) + (await held(other)) === 2)
      if ((await neutron('l3-agent-list-hosting-router moved')).includes(controller.name)) {
        await neutron(`l3-agent-router-remove ${l3[0]} moved`)
        await neutron(`l3-agent-router-add ${l3[1]} moved`)
      }
      await neutron(`dhcp-agent-network-add ${dhcp[1]} moved`)
    }
    await until('both on the second host', 60, async () => (await held(other)) === 2 && (await held(controller)) === 0)
  })
  await prove('when that host is cut off, they stand on another one', async () => {
    await other.cable('mgmt', 'down')
    await until('both on the first host', 180, async () => (await held(controller)) === 2)
  })
  await prove('and when it is back, not on both', async () => {
    await other.cable('mgmt', 'up')
    await until('none on the second host', 120, async () => (await held(other)) === 0)
  })
  await neutron('router-interface-delete moved moved')
  await neutron('router-delete moved')
  await neutron('net-delete moved')
}
