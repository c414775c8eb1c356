import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { neutron } from '../../src/cli/neutron/main.ts'
import { openClient, type Said } from './session.ts'

export type Walk = { name: string; run(): Promise<void> }
type Env = Record<string, string>
type Run = (command: string) => Promise<Said>
type Step = { name: string; run(ours: Run, original: Run, env: Env): Promise<void> }

const wordsOf = (command: string) => (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'))

/** Our client, in this process. */
export const ourNeutron =
  (env: Env): Run =>
  async (command) => {
    const [out, err]: [string[], string[]] = [[], []]
    const io = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), env }
    const code = await neutron(wordsOf(command), io)
    return { code, out: out.join(''), err: err.join('') }
  }

/** What differs from run to run, and what the original says of its own end. */
const plain = (text: string) =>
  text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '00000000-0000-4000-8000-000000000000')
    .replace(/[0-9a-f]{2}(:[0-9a-f]{2}){5}/g, '00:00:00:00:00:00')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-01-01T00:00:00Z')
    .replace(/(provider:segmentation_id *\| )\d+ */g, (found, start) => `${start}1`.padEnd(found.length))
    .replace(/("provider:segmentation_id": )\d+/g, (_, start) => `${start}1`)
    .replace(/neutron CLI is deprecated.*\n/, '')
    .replaceAll('zz', 'yy')
    .replaceAll('10.8.', '10.9.')

const show = ({ code, out, err }: Said) => `exit ${code}\n${plain(out)}${plain(err)}`

/** Both print the same: exactly, when nothing is written; else with other names and addresses. */
async function same(ours: Run, original: Run, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const [theirs, mine] = [await original(command), await ours(command.replaceAll('yy', 'zz').replaceAll('10.9.', '10.8.'))]
    assert.equal(show(mine), show(theirs), command)
  }
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What both do step by step, looked at in every form. */
const both: Record<string, string[]> = {
  'what is there': lines(`
    net-list
    net-list -f json
    net-list -f csv
    net-list -f value
    net-list -f yaml
    net-show private -f yaml
    port-list -f yaml
    agent-list -f yaml -c configurations -c alive
    net-list -c name -c id
    net-list -c nonsense
    net-list -F id -F status
    net-list --name private
    net-list --name nobody
    net-list --name nobody -f json
    net-list --shared True
    net-list --router:external=True -f value -c name
    net-list --sort-key name --sort-dir desc -c name
    net-list -P 1
    net-list --max-width 70
    net-list -f csv --quote all
    net-list -f csv --quote minimal
    net-list -f json --noindent
    net-list --sort-column name
    net-external-list
    net-show private
    net-show private -f json
    net-show private -f value
    net-show private -f shell
    net-show private -f shell --prefix x_
    net-show private -F id -F name
    net-show nonsense
    subnet-list
    subnet-list -f csv
    subnet-list -f value
    subnet-show private_subnet
    subnet-show private_subnet -f json
    port-list
    port-list -f value -c fixed_ips
    port-list -- --device_owner network:dhcp
    port-list --device_owner=network:dhcp
    router-list
    router-list -f csv
    router-show router1
    router-port-list router1
    security-group-list
    security-group-list -f json
    security-group-rule-list
    security-group-rule-list --no-nameconv
    security-group-rule-list -c remote -c port/protocol
    security-group-rule-list -f csv
    security-group-rule-list -F remote
    agent-list
    agent-list -f value -c alive -c host
    agent-show nonsense
    ext-list
    ext-show router
    quota-show
    quota-default-show
    quota-list
    availability-zone-list
    subnetpool-list
    address-scope-list
    net-ip-availability-list
    net-ip-availability-show public
    floatingip-list
    dhcp-agent-list-hosting-net private
    l3-agent-list-hosting-router router1
  `),
  'a network of ones own': lines(`
    net-create yy-net
    net-create --shared --description 'a b' yy-shared -f json
    net-create yy-vlan --provider:network_type vlan --provider:physical_network physnet1
    net-create yy-flag --router:external=True --dns-domain example.org.
    net-create yy-down --admin-state-down -f value -c admin_state_up -c name
    subnet-create --name yy-sub yy-net 10.9.0.0/24 --dns-nameserver 192.0.2.1 --dns-nameserver 192.0.2.2 --allocation-pool start=10.9.0.10,end=10.9.0.20 --host-route destination=10.9.9.0/24,nexthop=10.9.0.1
    subnet-create yy-net 10.9.1.0/24 --disable-dhcp --no-gateway -f json
    subnet-create yy-net --name yy-late 10.9.2.0/24
    subnet-create yy-net 10.9.3.0/24 --dns_nameservers list=true 192.0.2.7 192.0.2.8
    subnet-create yy-net 10.9.4.0/24 --enable_dhcp=False -c enable_dhcp
    subnet-update yy-sub --name yy-sub2 --no-gateway
    subnet-update yy-sub2 --dns_nameservers action=clear
    subnet-show yy-sub2
    port-create yy-net --name yy-port --fixed-ip subnet_id=yy-sub2,ip_address=10.9.0.15 --no-security-groups
    port-update yy-port --name yy-port2 --admin-state-up False
    port-update yy-port2 --allowed-address-pair ip_address=10.9.7.7
    port-update yy-port2 --extra-dhcp-opt opt_name=mtu,opt_value=1400
    port-show yy-port2
    port-show yy-port2 -f json
    router-create yy-router
    router-create yy-other --description 'a b'
    router-interface-add yy-router yy-late
    router-interface-add yy-router port=yy-port2
    router-port-list yy-router -c fixed_ips
    router-gateway-set yy-router public
    router-gateway-set yy-router public --disable-snat
    router-gateway-clear yy-router
    router-interface-delete yy-router subnet=yy-late
    router-interface-delete yy-router yy-sub2
    router-update yy-router --name yy-router2 --admin-state-up False
    router-delete yy-router2 yy-other nobody
    tag-add --resource-type network --resource yy-net --tag blue
    tag-replace --resource-type network --resource yy-net --tag red --tag green
    net-list --tags red -c name
    tag-remove --resource-type network --resource yy-net --all
    net-update yy-net --name yy-net2 --shared True
    net-update yy-net2
    net-update yy-net2 --mtu type=int 1300
    net-show yy-net2 -c mtu
    net-delete yy-shared yy-vlan yy-flag yy-down yy-net2
    net-delete yy-shared
  `),
  'security groups and quotas': lines(`
    security-group-create yy-group --description 'a b'
    security-group-rule-create yy-group --protocol tcp --port-range-min 22 --port-range-max 22 --remote-ip-prefix 0.0.0.0/0
    security-group-rule-create yy-group --protocol icmp
    security-group-rule-create yy-group --direction egress --ethertype IPv6 --remote-group-id yy-group -f json
    security-group-show yy-group
    security-group-update yy-group --name yy-group2
    security-group-update yy-group2
    security-group-delete yy-group2
    subnetpool-create yy-pool --pool-prefix 10.9.0.0/16 --default-prefixlen 26
    subnet-create private --subnetpool yy-pool
    subnetpool-update yy-pool --description 'a b'
    subnetpool-delete yy-pool
    address-scope-create yy-scope 4
    address-scope-delete yy-scope
  `),
  'what is wrong': lines(`
    subnet-create nonsense 10.9.0.0/24
    router-gateway-set nonsense public
    router-interface-add router1 nonsense
    net-create yy-bad --provider:network_type nonsense
    net-create yy-bad type=int 5
    net-create yy-bad --mtu type=float 5
    port-create private --fixed-ip ip_address=203.0.113.7
    security-group-rule-create default --protocol nonsense
    floatingip-delete 00000000-0000-4000-8000-000000000001
    agent-update 00000000-0000-4000-8000-000000000001 --description x
    quota-update --network many
    quota-update
  `),
}

/** Only the end is compared: how to use a command is said in our own words. */
const misused = lines(`
  net-create
  net-show
  net-list --nonsense
  net-list -f nonsense
  subnet-create --tenant-id --name x private 10.9.0.0/24
  subnet-create private 10.9.0.0/24 --gateway 10.9.0.1 --no-gateway
  subnet-create private 10.9.0.0/24 --allocation-pool begin=10.9.0.2
  subnet-create private 10.9.0.0/24 --ip-version five
  net-create --description
  nonsense-list
  help net-list
  --version
`)

/** What somebody sees who is no administrator. */
const asMember = lines(`
  net-list
  net-show public
  subnet-list
  router-list
  port-list
  agent-list
  quota-show
  quota-list
  quota-update --network 3
  security-group-list
  security-group-rule-list
  net-create yy-no --provider:network_type vlan
  net-create yy-own
  net-delete yy-own
`)

const compared: Step[] = Object.entries(both).map(([name, commands]) => ({
  name: `as the original: ${name}`,
  run: (ours, original) => same(ours, original, commands),
}))

const alone: Step[] = [
  {
    name: 'exit codes as the original',
    async run(ours, original) {
      for (const command of misused) assert.equal((await ours(command)).code, (await original(command)).code, command)
    },
  },
]

/** The lines of 2014 that cannot work, as they were printed, and what is said to each. */
const literal: [command: string, code: number, said: RegExp][] = [
  ['router-create router01', 0, /Created a new router:/],
  ['net-create public01 --provider:network_type flat --provider:physical_network physnet9 --router:external=True', 0, /public01/],
  [
    'subnet-create --name public01_subnet01 --gateway 192.168.1.1 public01 192.168.1.0、24 --disable-dhcp',
    1,
    /ideographic comma \(U\+3001\): did you mean 192\.168\.1\.0\/24\?/,
  ],
  ['router-gateway-set router01 public01', 1, /public01 has no subnet/],
  [
    'net-create net01 --provider:network_type vlan --provider:physical_network physnet1 --provider:segmentation_id 101',
    0,
    /net01/,
  ],
  ['subnet-create --tenant-id --name net01_subnet01 net01 192.168.101.0/24', 2, /--tenant-id is empty/],
  ["subnet-create --tenant-id '' --name net01_subnet01 net01 192.168.101.0/24", 2, /--tenant-id is empty/],
  ['router-interface-add router01 net01_subnet01', 1, /Unable to find subnet with name or id 'net01_subnet01'/],
  [
    'net-create net02 --provider:network_type vlan --provider:physical_network physnet1 --provider:segmentation_id 102',
    0,
    /net02/,
  ],
  [
    'subnet-create --name net02_subnet01 net01 192.168.102.0/24',
    0,
    /net02_subnet01 suggests network net02, the network given is net01/,
  ],
  ['router-interface-add router01 net02_subnet01', 0, /Added interface [0-9a-f-]{36} to router router01\./],
  [
    'net-create net03 --provider:network_type gre --provider:physical_network physnet2 tunnel_id_ranges = 1:1000 enable_tunneling = True',
    1,
    /begin with dashes; tunnel_id_ranges and enable_tunneling are settings[\s\S]*leave --provider:physical_network out[\s\S]*neutron net-create net03 --provider:network_type gre --provider:segmentation_id N/,
  ],
  ['subnet-create --name net03_subnet01 net03 192.168.103.0/24', 1, /Unable to find network with name or id 'net03'/],
  [
    'net-create net04 --provider:network_type gre --provider:physical_network physnet2',
    1,
    /leave --provider:physical_network out/,
  ],
  ['net-create net04 --provider:network_type gre --provider:segmentation_id 4', 0, /net04/],
  ['subnet-create --name net04_subnet01 Net04 192.168.104.0/24', 1, /did you mean net04\?/],
  ['subnet-create –name net04_subnet01 net04 192.168.104.0/24', 0, /begins with a long dash/],
  ['net-list -c name', 0, /net04/],
]

const others: Step[] = [
  {
    name: 'the lines of the article, as they were printed',
    async run(ours) {
      for (const [command, code, said] of literal) {
        const got = await ours(command)
        assert.match(got.out + got.err, said, `${command}\n${got.out}${got.err}`)
        assert.equal(got.code, code, `${command}\n${got.err}`)
      }
    },
  },
  {
    name: 'an external range over the addresses of hosts, and a subnet for another project: warned of, done all the same',
    async run(ours) {
      await ours('net-create public02 --router:external=True')
      const range = await ours('subnet-create --gateway 192.0.2.254 --disable-dhcp public02 192.0.2.0/24')
      assert.equal(range.code, 0)
      assert.match(range.err, /192\.0\.2\.1.*--allocation-pool start=192\.0\.2\.4,end=192\.0\.2\.253/)
      const owner = (await ours('net-show private -f value -c tenant_id')).out.trim()
      const other = await ours(`subnet-create --tenant-id ${owner} net01 192.168.109.0/24`)
      assert.equal(other.code, 0)
      assert.match(other.err, /still cannot use it/)
    },
  },
  {
    name: 'floating IPs, agents, quotas, RBAC and what a project leaves behind',
    async run(ours) {
      const said = async (command: string) => {
        const { code, out, err } = await ours(command)
        assert.equal(code, 0, `${command}\n${err}`)
        return out.trim()
      }
      const port = await said('port-create private -f value -c id')
      const floating = await said(`floatingip-create public --port-id ${port} -f value -c id`)
      assert.match(await said(`floatingip-show ${floating}`), new RegExp(port))
      assert.equal(await said(`floatingip-disassociate ${floating}`), `Disassociated floating IP ${floating}`)
      assert.equal(await said(`floatingip-associate ${floating} ${port}`), `Associated floating IP ${floating}`)
      assert.equal(await said(`floatingip-delete ${floating}`), `Deleted floatingip(s): ${floating}`)
      assert.equal(await said(`port-delete ${port}`), `Deleted port(s): ${port}`)
      const project = await said('net-show private -f value -c tenant_id')
      assert.match(await said(`quota-update --tenant-id ${project} --network 77 --security-group 5`), /\| network +\| 77/)
      assert.match(await said(`quota-show ${project}`), /\| network +\| 77/)
      assert.match(await said('quota-list'), /77/)
      assert.equal(await said(`quota-delete --tenant-id ${project}`), `Deleted quota: ${project}`)
      const agent = (await said('agent-list -f value -c id')).split('\n')[0]
      assert.equal(await said(`agent-update ${agent} --description x`), `Updated agent: ${agent}`)
      assert.match(await said('help'), /net-list +List networks\./)
      assert.match(await said('help net-create'), /--provider:network_type/)
      assert.match(await said('bash-completion'), /net-list/)
      await said('net-create mess')
      await said('security-group-create mess')
      await said('router-create mess')
      const mine = await said('router-show mess -f value -c tenant_id')
      assert.match(await ours(`purge ${mine}`).then(({ out }) => out), /Deleted .*router/)
      assert.equal((await ours('net-show mess')).code, 1)
    },
  },
  {
    name: 'old files name a tenant and a version 2 address; what is missing is named; what is not here is said',
    async run(_ours, _original, env) {
      const { OS_PROJECT_NAME: tenant, OS_USER_DOMAIN_NAME: _u, OS_PROJECT_DOMAIN_NAME: _p, ...rest } = env
      const old = { ...rest, OS_TENANT_NAME: tenant!, OS_AUTH_URL: env['OS_AUTH_URL']!.replace('/v3', '/v2.0/') }
      assert.match((await ourNeutron(old)('net-list')).out, /private/)
      const none = await ourNeutron({ ...old, OS_PASSWORD: '' })('net-list')
      assert.equal(none.code, 1)
      assert.match(none.err, /--os-password or env\[OS_PASSWORD\]/)
      const wrong = await ourNeutron({ ...old, OS_PASSWORD: 'wrong' })('net-list')
      assert.equal(wrong.code, 1)
      assert.match(wrong.err, /requires authentication.*HTTP 401/)
      assert.match(
        (
          await ourNeutron({})(
            `--os-auth-url ${env['OS_AUTH_URL']} --os-username admin --os-password ${env['OS_PASSWORD']} net-list --os-tenant-name admin`,
          )
        ).out,
        /private/,
      )
      assert.match((await ourNeutron(old)('lbaas-loadbalancer-list')).err, /no load balancer service/)
      const away = await ourNeutron({ ...old, OS_AUTH_URL: 'http://127.0.0.1:1/v3' })('net-list')
      assert.equal(away.code, 1)
      assert.match(away.err, /Unable to establish connection to http:\/\/127\.0\.0\.1:1/)
    },
  },
]

/** Walks of our `neutron`: beside the original where Debian's is installed, and by itself. `close` ends the original. */
export function neutronWalks(env: Env, member: Env): { walks: Walk[]; close(): void } {
  const hasOriginal = existsSync('/usr/lib/python3/dist-packages/neutronclient/shell.py')
  if (!hasOriginal) console.log('--  neutron: not compared, python3-neutronclient is not installed')
  const client = hasOriginal ? openClient(env, 'neutronclient.shell') : undefined
  const original: Run = async (command) => client!.attempt(wordsOf(command))
  const asOriginalMember: Walk = {
    name: 'neutron: as the original: for a member of a project',
    async run() {
      const other = openClient(member, 'neutronclient.shell')
      await same(ourNeutron(member), (command) => other.attempt(wordsOf(command)), asMember).finally(other.close)
    },
  }
  const steps = [...(hasOriginal ? [...compared, ...alone] : []), ...others]
  return {
    walks: [
      ...steps.map(({ name, run }) => ({ name: `neutron: ${name}`, run: () => run(ourNeutron(env), original, env) })),
      ...(hasOriginal ? [asOriginalMember] : []),
    ],
    close: () => client?.close(),
  }
}
