/** What the article's cloud must bear: guests that move, hosts that start again, a cable that is pulled, a host that leaves. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Said, SimHost } from '../hosts/hosts.ts'
import { prove, until } from '../installed.ts'
import type { Cloud, Guest } from './guests.ts'
import { serviceRows, stateOf } from './install.ts'
import { type Guests, pings } from './traffic.ts'
import { line, says, type World } from './world.ts'

export type Built = { cloud: Cloud; guests: Guests; floating: string }

/** Pings while something is done, five times a second; gives how many went unanswered. */
async function lost(ping: (seconds: number) => Promise<Said>, meanwhile: () => Promise<unknown>): Promise<number> {
  let isOver = false
  const counted = (async () => {
    let missing = 0
    while (!isOver) {
      const { stdout } = await ping(3)
      const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout) ?? []
      missing += Number(sent) - Number(received)
    }
    return missing
  })()
  try {
    await meanwhile()
  } finally {
    isOver = true
  }
  return counted
}

const fromOutside =
  ({ sims }: World, address: string) =>
  (seconds: number) =>
    sims.outside('ping', '-q', '-i', '0.2', '-c', String(seconds * 5), '-W', '1', address)

export async function liveMigration(world: World, { cloud, guests, floating }: Built): Promise<void> {
  const [, guest] = guests.net01
  for (const to of [world.first, world.second])
    await line('traffic', 'C', `live migration to ${to.name} under ping: at most ten of five a second lost`, async () => {
      const uptime = await secondsUp(cloud, guest)
      const missing = await lost(fromOutside(world, floating), () => moved(cloud, guest, to))
      console.log(`    ${missing} lost`)
      assert.ok(missing <= 10, `${missing} lost`)
      assert.ok((await secondsUp(cloud, guest)) >= uptime, 'it started anew')
    })
  await line('traffic', 'C', 'and of a guest on GRE, which reaches the other one after', async () => {
    const [other, mover] = guests.net03
    await moved(cloud, mover, world.first)
    await pings(cloud, other, mover.ip)
    await moved(cloud, mover, world.second)
    await pings(cloud, mover, other.ip)
  })
}

const secondsUp = async (cloud: Cloud, guest: Guest) => Number((await cloud.inside(guest, 'cat /proc/uptime')).split(' ')[0])

async function moved(cloud: Cloud, guest: Guest, to: SimHost): Promise<void> {
  await cloud.ask('POST', 'compute', `/servers/${guest.id}/action`, {
    'os-migrateLive': { host: to.name, block_migration: 'auto' },
  })
  await until(`${guest.name} on ${to.name}`, 120, async () => {
    const status = await cloud.statusOf(guest)
    assert.notEqual(status, 'ERROR')
    return status === 'ACTIVE' && (await cloud.hostOf(guest)) === to.name
  })
  await until('one process', 30, async () => (await cloud.whereIs(guest)).host === to.name)
}

export async function reboots(world: World, { cloud, guests, floating }: Built): Promise<void> {
  for (const host of [world.second, world.first])
    await line('traffic', 'A', `${host.name} starts again, and everything with it`, async () => {
      await host.reboot()
      await until('the floating address', 180, async () =>
        says(await world.sims.outside('ping', '-c', '1', '-W', '2', floating), 0),
      )
      await until(':-)', 60, async () => (await stateOf(world, host.name)) === ':-)')
      for (const [one, other] of Object.values(guests)) {
        await until(`ssh to ${one.name}`, 180, () => cloud.inside(one, 'true'))
        await pings(cloud, one, other.ip)
      }
    })
}

const cableSeconds = 300

export async function cable(world: World, { cloud, guests, floating }: Built): Promise<void> {
  const away = Object.values(guests).map(([, guest]) => guest)
  const before = await Promise.all(away.map(cloud.whereIs))
  await line(
    'traffic',
    'C5',
    `${world.second.name} without its management cable for ${cableSeconds} s: its guests run on`,
    async () => {
      await world.second.cable('mgmt', 'down')
      const missing = await lost(fromOutside(world, floating), async () => {
        const end = performance.now() + cableSeconds * 1000
        await until('XXX', 120, async () => (await stateOf(world, 'stack-01')) === 'XXX')
        console.log('    XXX')
        await pause(end - performance.now())
      })
      console.log(`    ${missing} of ${cableSeconds * 5} pings lost`)
      assert.ok(missing <= 10, `${missing} lost`)
      await pings(cloud, guests.net01[0], guests.net01[1].ip)
      await pings(cloud, guests.net02[0], guests.net01[1].ip)
    },
  )
  await line('traffic', 'C5', 'and back with it: :-), and the same processes', async () => {
    await world.second.cable('mgmt', 'up')
    await until(':-)', 60, async () => (await stateOf(world, 'stack-01')) === ':-)')
    await pause(5000)
    assert.deepEqual(await Promise.all(away.map(cloud.whereIs)), before)
    for (const guest of away) assert.equal(await cloud.statusOf(guest), 'ACTIVE')
  })
}

async function becomes(cloud: Cloud, guest: Guest, action: string, status: string): Promise<void> {
  await cloud.ask('POST', 'compute', `/servers/${guest.id}/action`, { [action]: null })
  await until(`${guest.name} ${status}`, 90, async () => (await cloud.statusOf(guest)) === status)
}

export async function removal(world: World, { cloud, guests, floating }: Built): Promise<void> {
  const away = Object.values(guests).map(([, guest]) => guest)
  const [, still] = guests.net03
  await becomes(cloud, still, 'suspend', 'SUSPENDED')
  await prove('packstack --remove-host names the guest that cannot go, and changes nothing', async () => {
    const said = await world.first.run('packstack', '--remove-host', 'stack-01')
    says(said, 1, new RegExp(`${still.id}  ${still.name}: it is SUSPENDED; delete it, or bring it to ACTIVE or SHUTOFF`))
    for (const guest of away) assert.equal(await cloud.hostOf(guest), 'stack-01')
    assert.match((await serviceRows(world)).map((row) => row.join(' ')).join('\n'), /nova-compute stack-01 nova enabled/)
  })
  await becomes(cloud, still, 'resume', 'ACTIVE')
  await becomes(cloud, guests.net04[1], 'os-stop', 'SHUTOFF')
  await prove('packstack --remove-host stack-01: its guests go to the first host', async () => {
    const said = says(await world.first.run('packstack', '--remove-host', 'stack-01'), 0)
    for (const { name } of away) assert.match(said, new RegExp(`Moving ${name} to stack-kvm110 +\\[ DONE \\]`))
    assert.equal(await stateOf(world, 'stack-01'), undefined)
    await world.second.sh('! [ -e /opt/altostack ] && ! pgrep qemu-system')
    for (const guest of away) assert.equal(await cloud.hostOf(guest), 'stack-kvm110')
    await until('the floating address', 60, async () => says(await world.sims.outside('ping', '-c', '1', '-W', '2', floating), 0))
  })
}
