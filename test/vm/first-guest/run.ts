/** The newcomer's first virtual machine: the unmodified client, a real guest, ssh through a floating IP; then isolation, reboot of the host, and nothing left. As root. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openApi } from '../../../src/deploy/demo/api.ts'
import { reboot } from '../../allinone/machine.ts'
import { openClient } from '../../clients/session.ts'
import { installed, prove, until } from '../installed.ts'

type Row = Record<string, unknown>

const cloud = await installed()
const { exec } = cloud
const folder = mkdtempSync(join(tmpdir(), 'altostack-first-guest-'))
const admin = openClient(cloud.env('admin'))
const demo = openClient(cloud.env('demo'))
const key = join(folder, 'key')

const ssh = (address: string, command: string) =>
  exec.run(
    [
      'ssh',
      '-i',
      key,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'ConnectTimeout=5',
      '-o',
      'BatchMode=yes',
      `root@${address}`,
      command,
    ],
    { timeoutMs: 20_000 },
  )
const addressOf = async (name: string) => {
  const { addresses } = await admin.json<{ addresses: Record<string, string[]> }>(`server show ${name}`)
  return Object.values(addresses).flat()
}
const status = async (name: string) => (await admin.json<Row>(`server show ${name}`))['status']
const group = async (client: typeof admin) => {
  const groups = await client.json<Row[]>('security group list')
  const { project_id } = await client.json<{ project_id: string }>('token issue')
  return String(groups.find((one) => one['Name'] === 'default' && one['Project'] === project_id)?.['ID'])
}

async function openDoors() {
  const id = await group(admin)
  for (const rule of ['--protocol icmp', '--protocol tcp --dst-port 22']) {
    const { code, err } = await admin.attempt(`security group rule create ${rule} ${id}`)
    if (code !== 0) assert.match(err, /already exists/)
  }
}

async function firstGuest(): Promise<string> {
  await exec.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key])
  await admin.run(`keypair create --public-key ${key}.pub first-key`)
  await openDoors()
  await prove('a server becomes ACTIVE', () =>
    admin.run('server create --image mini --flavor m1.nano --network private --key-name first-key --wait first'),
  )
  const floating = await prove('it gets a floating IP', async () => {
    const { floating_ip_address } = await admin.json<{ floating_ip_address: string }>('floating ip create public')
    await admin.run(`server add floating ip first ${floating_ip_address}`)
    return floating_ip_address
  })
  await prove('the host pings it', () => until('ping', 60, () => exec.run(['ping', '-c', '1', '-W', '1', floating])))
  await prove('ssh with the key pair, metadata read', async () => {
    assert.match(await until('ssh', 60, () => ssh(floating, 'hostname; uname -s')), /first\nLinux/)
  })
  await prove('the console log shows its boot', async () => assert.match(await admin.run('console log show first'), /READY/))
  await prove('soft reboot: it comes back', async () => {
    await admin.run('server reboot --wait first')
    await until('ssh', 90, async () => Number((await ssh(floating, 'cat /proc/uptime')).split(' ')[0]) < 60)
  })
  await prove('stop: SHUTOFF, start: back', async () => {
    await admin.run('server stop first')
    await until('SHUTOFF', 90, async () => (await status('first')) === 'SHUTOFF')
    await admin.run('server start first')
    await until('ssh', 90, () => ssh(floating, 'true'))
  })
  return floating
}

async function explained() {
  const { id } = await admin.json<{ id: string }>('server show first')
  await prove('altostack explain tells its life', async () => {
    assert.match(await cloud.tool('altostack', 'explain', 'server', id), /active/)
  })
  await prove('nova-manage service list shows the host', async () => {
    assert.match(await cloud.tool('nova-manage', 'service', 'list'), /nova-compute .* nova .* enabled .* :-\)/)
  })
  await prove('a flavor nobody has room for: ERROR, with every host and its reason', async () => {
    await admin.run('flavor create --ram 50000 --disk 1 --vcpus 1 giant')
    await admin.attempt('server create --image mini --flavor giant --network private giant')
    await until('ERROR', 20, async () => (await status('giant')) === 'ERROR')
    const giant = await admin.json<{ id: string }>('server show giant')
    assert.match(await cloud.tool('altostack', 'explain', 'server', giant.id), /MEMORY_MB|memory/)
    await admin.run('server delete --wait giant')
    await admin.run('flavor delete giant')
  })
}

/** When a process began, in milliseconds since 1970 (proc(5): clock ticks of 10 ms since boot). */
function startedAt(pid: string): number {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')[19]
  const boot = Date.now() - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  return boot + Number(ticks) * 10
}

async function ourPart() {
  const env = cloud.env('admin')
  const api = await openApi({ url: env['OS_AUTH_URL']!, user: 'admin', password: env['OS_PASSWORD']!, project: 'admin' })
  const find = async (service: 'image' | 'compute' | 'network', kind: string, name: string) => {
    const found = await api.get<Record<string, { id: string; name: string }[]>>(service, `/${kind}`)
    return found[kind]!.find((one) => one.name === name)!.id
  }
  const body = {
    name: 'timed',
    imageRef: await find('image', 'images', 'mini'),
    flavorRef: await find('compute', 'flavors', 'm1.nano'),
    networks: [{ uuid: await find('network', 'networks', 'private') }],
  }
  await prove('our part of the time, from POST to the start of QEMU', async () => {
    const asked = Date.now()
    const { server } = await api.post<{ server: { id: string } }>('compute', '/servers', { server: body })
    const pid = await until('QEMU', 30, () => exec.run(['pgrep', '-f', `qemu-system.*-uuid ${server.id}`]))
    const ms = startedAt(pid.trim().split('\n')[0]!) - asked
    console.log(`    ${ms.toFixed(0)} ms`)
    await api.delete('compute', `/servers/${server.id}`)
    // A busy machine is no failure; ten times as much is.
    assert.ok(ms < 5000, `${ms} ms`)
  })
}

async function isolation(floating: string) {
  await demo.run('network create theirs')
  await demo.run('subnet create --network theirs --subnet-range 10.9.0.0/24 theirs')
  await demo.run('router create theirs')
  await demo.run('router set --external-gateway public theirs')
  await demo.run('router add subnet theirs theirs')
  await demo.run('server create --image mini --flavor m1.nano --network theirs --wait second')
  const { floating_ip_address: other } = await demo.json<{ floating_ip_address: string }>('floating ip create public')
  await demo.run(`server add floating ip second ${other}`)
  await until('its boot', 90, async () => (await demo.run('console log show second')).includes('READY'))
  await prove('a server of another project is unreachable', async () => {
    assert.notEqual((await exec.attempt(['ping', '-c', '2', '-W', '1', other])).code, 0)
    await assert.rejects(ssh(floating, `ping -c 1 -W 2 ${other}`))
  })
  await prove('until a rule allows it', async () => {
    await demo.run(`security group rule create --protocol icmp ${await group(demo)}`)
    await until('ping', 20, () => exec.run(['ping', '-c', '1', '-W', '1', other]))
    await until('ping from the first guest', 10, () => ssh(floating, `ping -c 1 -W 2 ${other}`))
  })
  await prove('a guest that forges its IP or MAC is stopped', async () => {
    const [fixed] = (await addressOf('first')).filter((ip) => ip.startsWith('10.'))
    assert.ok(fixed)
    const forged = fixed.replace(/\d+$/, '99')
    await ssh(floating, `ip addr add ${forged}/24 dev eth0`)
    await assert.rejects(ssh(floating, `ping -c 2 -W 1 -I ${forged} ${fixed.replace(/\d+$/, '1')}`))
    await ssh(floating, `ip addr del ${forged}/24 dev eth0`)
    await ssh(floating, 'ping -c 1 -W 2 172.24.4.1')
  })
  await demo.run('server delete --wait second')
  await demo.run(`floating ip delete ${other}`)
  await demo.run('router remove subnet theirs theirs')
  await demo.run('router delete theirs')
  await demo.run('network delete theirs')
}

const idOf = async (name: string) => (await admin.json<{ id: string }>(`server show ${name}`)).id

async function survives(floating: string) {
  const id = await idOf('first')
  /** Throws when there is none. */
  const pid = () => exec.run(['pgrep', '-f', `qemu-system.*-uuid ${id}`])
  await prove('controller and agent killed: the same guest runs on, and is adopted', async () => {
    const before = await pid()
    for (const which of ['controller', 'agent'] as const) await cloud.kill(which)
    await exec.run(['ping', '-c', '2', '-W', '1', floating])
    await until('the API', 30, async () => (await admin.attempt('server show first')).code === 0)
    assert.equal(await pid(), before)
    await until('an agent that answers', 60, async () => /agree/.test(await cloud.tool('altostack', 'doctor')))
  })
  await prove('Open vSwitch killed and started again: traffic flows, same guest', async () => {
    const before = await pid()
    const vswitchd = readFileSync('/run/openvswitch/ovs-vswitchd.pid', 'utf8').trim()
    await exec.run(['kill', '-9', vswitchd])
    await cloud.tool('packstack', '--start')
    await until('ping', 60, () => exec.run(['ping', '-c', '1', '-W', '1', floating]))
    assert.equal(await pid(), before)
  })
}

/** The guest starts again, so its uptime does: same disk, same addresses. */
async function comesBack(floating: string) {
  await prove('the host loses everything volatile: after a start the guest runs with its addresses', async () => {
    await ssh(floating, 'echo kept > /root/kept; sync')
    await reboot(exec)
    await assert.rejects(exec.run(['ping', '-c', '1', '-W', '1', floating]))
    await cloud.tool('packstack', '--start')
    assert.match(await until('ssh', 120, () => ssh(floating, 'cat /root/kept')), /kept/)
    assert.equal(await status('first'), 'ACTIVE')
    await until('doctor', 60, async () => /agree/.test(await cloud.tool('altostack', 'doctor')))
  })
}

async function tidyUp(floating: string) {
  const id = await idOf('first')
  const [port] = await admin.json<{ ID: string }[]>('port list --server first')
  assert.ok(port)
  const tap = `tap${port.ID.slice(0, 11)}`
  assert.match(await exec.run(['ip', '-o', 'link']), new RegExp(tap))
  await prove('delete leaves nothing: doctor agrees', async () => {
    await admin.run('server delete --wait first')
    await admin.run(`floating ip delete ${floating}`)
    await admin.run('keypair delete first-key')
    await until('doctor', 30, async () => /agree/.test(await cloud.tool('altostack', 'doctor')))
    assert.equal((await exec.attempt(['pgrep', '-f', `qemu-system.*${id}`])).stdout, '')
    assert.doesNotMatch(await exec.run(['ip', '-o', 'link']), new RegExp(tap))
    assert.doesNotMatch(await exec.run(['ovs-vsctl', 'show']), new RegExp(tap))
    assert.equal((await exec.attempt(['find', '/var/lib/altostack-agent', '-name', `*${id}*`])).stdout, '')
  })
}

let failure: unknown
try {
  const floating = await firstGuest()
  await explained()
  await ourPart()
  await isolation(floating)
  await survives(floating)
  await comesBack(floating)
  await tidyUp(floating)
} catch (error) {
  failure = error
  console.error(error)
}
admin.close()
demo.close()
rmSync(folder, { recursive: true, force: true })
if (!failure) await cloud.leave()
process.exit(failure ? 1 : 0)
