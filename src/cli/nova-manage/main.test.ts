import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cellTable, flavorLines, guestTable, hostTable, resourceTable, serviceTable, withOldServices } from './lists.ts'
import { novaManage } from './main.ts'

const at = Date.UTC(2014, 2, 26, 3, 24, 36) * 1000
const inside = { host: 'controller', zone: 'internal', enabled: true, up: true, updatedAt: at }
const services = [
  { binary: 'nova-scheduler', ...inside },
  { binary: 'nova-conductor', ...inside },
  { binary: 'nova-compute', host: 'stack-01', zone: 'nova', enabled: false, up: false, updatedAt: undefined },
]
const guest = {
  id: 'g',
  name: 'web',
  host: 'stack-01',
  zone: 'nova',
  flavor: 'm1.tiny',
  vcpus: 1,
  memoryMb: 512,
  diskGb: 1,
  state: 'active',
}
const census = {
  hosts: [{ name: 'stack-01', zone: 'nova', vcpus: 8, memoryMb: 8192, diskGb: 100 }],
  guests: [
    { ...guest, launchedAt: at, image: 'i', projectId: 'p', userId: 'u', index: 0 },
    { ...guest, id: 'h', state: 'stopped', launchedAt: 0, image: 'i', projectId: 'q', userId: 'u', index: 0 },
  ],
  flavors: [
    {
      id: '1',
      name: 'm1.tiny',
      memoryMb: 512,
      vcpus: 1,
      rootGb: 1,
      ephemeralGb: 0,
      swapMb: 0,
      rxtxFactor: 1,
      isPublic: true,
      extraSpecs: { a: 'b' },
    },
  ],
}

test('services are listed in the columns packstack users know', () => {
  assert.deepEqual(serviceTable([{ ...services[1]!, host: 'stack-kvm110', binary: 'nova-consoleauth' }, services[2]!]), [
    'Binary           Host                                 Zone             Status     State Updated_At',
    'nova-consoleauth stack-kvm110                         internal         enabled    :-)   2014-03-26 03:24:36',
    'nova-compute     stack-01                             nova             disabled   XXX   None      ',
  ])
})

test("the controllers' services are listed under the name of this machine, as in 2014", () => {
  assert.deepEqual(
    withOldServices(services, 'controller', 'kvm').map(({ binary, host }) => `${binary} ${host}`),
    ['nova-conductor kvm', 'nova-cert kvm', 'nova-consoleauth kvm', 'nova-scheduler kvm', 'nova-compute stack-01'],
  )
})

test('hosts, guests, flavors, cells and what a host has, as the original prints them', () => {
  assert.deepEqual(hostTable(services, 'nova'), [
    'host                     \tzone           ',
    'stack-01                 \tnova           ',
  ])
  assert.equal(
    guestTable(census.guests)[1],
    'web        stack-01        m1.tiny    active     2014-03-26 03:24:36        i                             p          u          nova       0    ',
  )
  assert.deepEqual(flavorLines(census.flavors), [
    "m1.tiny: Memory: 512MB, VCPUS: 1, Root: 1GB, Ephemeral: 0Gb, FlavorID: 1, Swap: 0MB, RXTX Factor: 1.0, public, ExtraSpecs {'a': 'b'}",
  ])
  assert.deepEqual(resourceTable(census, 'stack-01'), [
    'HOST                              PROJECT     cpu mem(mb)     hdd',
    'stack-01        (total)                         8    8192     100',
    'stack-01        (used_now)                      1     512       1',
    'stack-01        (used_max)                      2    1024       2',
    'stack-01                                p       1     512       1',
    'stack-01                                q       1     512       1',
  ])
  assert.equal(resourceTable(census, 'nowhere'), undefined)
  assert.equal(cellTable().length, 5)
})

/** One run with a controller that answers so. */
async function run(...argv: string[]) {
  const [out, err, asked]: [string[], string[], unknown[]] = [[], [], []]
  const answers: Record<string, unknown> = { services, census, enableService: true }
  const ask = async (name: string, question?: unknown) => {
    asked.push(question)
    const host = (question as { host?: string } | undefined)?.host
    return name === 'enableService' ? host === 'stack-01' : answers[name]
  }
  const code = await novaManage(
    argv,
    (line) => out.push(line),
    (line) => err.push(line),
    ask,
    'kvm',
  )
  return { code, out: out.join('\n'), err: err.join('\n'), asked }
}

test('services are filtered, enabled and disabled', async () => {
  assert.equal((await run('service', 'list', '--host', 'stack-01')).out.split('\n').length, 2)
  assert.equal((await run('service', 'list', '--service=nova-cert')).out.split('\n').length, 2)
  const off = await run('service', 'disable', '--host', 'stack-01', '--service', 'nova-compute')
  assert.equal(off.out, 'Service nova-compute on host stack-01 disabled.')
  assert.deepEqual(off.asked.at(-1), { host: 'stack-01', binary: 'nova-compute', enabled: false })
  assert.deepEqual([off.code, (await run('service', 'enable', 'stack-01', 'nova-compute')).code], [0, 0])
  const none = await run('service', 'disable', '--host', 'nowhere', '--service', 'nova-compute')
  assert.deepEqual([none.code, none.err], [2, 'error: Could not find service nova-compute on host nowhere.'])
  assert.match((await run('service', 'disable', '--host', 'kvm', '--service', 'nova-cert')).err, /part of every controller/)
  assert.equal((await run('service', 'disable', '--host', 'kvm')).code, 2)
})

test('hosts need no discovery; strict asks are told so as by the original', async () => {
  assert.deepEqual(await run('cell_v2', 'discover_hosts').then(({ code }) => code), 0)
  assert.match((await run('cell_v2', 'discover_hosts', '--verbose')).out, /Host stack-01 is in cell cell1/)
  assert.equal((await run('cell_v2', 'discover_hosts', '--strict')).code, 1)
  assert.match((await run('cell_v2', 'list_hosts')).out, /\| stack-01 \|/)
  assert.deepEqual(
    [
      (await run('cell_v2', 'verify_instance', '--uuid', 'g')).code,
      (await run('cell_v2', 'verify_instance', '--uuid', 'x')).code,
    ],
    [0, 1],
  )
})

test('a command that has no meaning here is answered with what to use instead', async () => {
  for (const [command, words] of [
    ['cell list', /openstack client/],
    ['network list', /neutron net-list/],
    ['floating list', /neutron floatingip-list/],
    ['logs errors', /altostack explain/],
    ['placement audit', /altostack doctor/],
  ] as const) {
    const { code, err } = await run(...command.split(' '))
    assert.equal(code, 2, command)
    assert.match(err, words)
  }
})

test('a command whose work is done already succeeds, so that scripts go on', async () => {
  for (const command of ['db sync', 'api_db sync', 'cell_v2 map_cell0', 'cell_v2 simple_cell_setup'])
    assert.equal((await run(...command.split(' '))).code, 0, command)
})

test('what is not understood is 2 with the usage; a controller that does not answer is 1', async () => {
  assert.match((await run('nonsense')).err, /usage: nova-manage/)
  assert.deepEqual(
    [(await run()).code, (await run('service', 'list', '--nonsense')).code, (await run('service', 'list', 'x')).code],
    [2, 2, 2],
  )
  assert.equal((await run('--version')).code, 0)
  assert.match((await run('bash-completion')).out, /cell_v2/)
  const away = async () => Promise.reject(new Error('No controller answers.'))
  assert.equal(
    await novaManage(
      ['service', 'list'],
      () => {},
      () => {},
      away,
    ),
    1,
  )
})

test('a long dash of a web page is a short one, with a warning', async () => {
  const { code, out, err } = await run('service', 'list', '–-host', 'stack-01')
  assert.equal(code, 0)
  assert.match(out, /^nova-compute +stack-01/m)
  assert.match(err, /Warning: "–-host" begins with a long dash.*taken as --host/)
})
