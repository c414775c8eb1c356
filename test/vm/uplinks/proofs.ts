import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { SwitchPort } from '../../../src/drivers/vswitch/driver.ts'
import { until } from '../network/switch.ts'
import { gateway, host, nothing, ownAddress, says, type World } from './world.ts'

type Proof = { what: string; prove(world: World): Promise<void> }

/** Of one world, in this order. */
export const proofs: Proof[] = [
  { what: 'addresses, routes and a connection go to the bridge, and a ping from outside hardly notices', prove: move },
  { what: 'a second start changes nothing', prove: again },
  { what: 'after a restart of the switch everything is on the bridge again', prove: restart },
  { what: 'an address that somebody changes on the bridge counts from then on', prove: changed },
  { what: 'what the distribution puts on the card at boot goes to the bridge again', prove: boot },
  { what: 'a card that is wanted in no bridge any more has everything back', prove: noMore },
  { what: 'a gateway that stops answering takes the move back, and it is said', prove: rollBack },
  { what: 'killed at any moment, the next start ends it', prove: kills },
  { what: 'taking everything away gives the card back, with no agent', prove: uninstall },
  { what: 'a card or a bridge that is not there is named, and keeps nobody from his', prove: missing },
  { what: 'tunnels in user space get a bridge with their card and address', prove: underlay },
]

const cards = (...uplinks: { bridge: string; nic: string }[]) => ({
  uplinks,
  stateDir: '',
  tunnelInterface: undefined,
  controller: { host: gateway.v4, port: gateway.port },
})
const noCards = { cards: cards() }

/** How many of the packets sent from outside every 20 ms are lost while something is done. */
async function lossDuring(what: () => Promise<unknown>): Promise<{ sent: number; lost: number }> {
  const ping = spawn('ping', ['-n', '-i', '0.02', '-W', '1', ownAddress], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  ping.stdout.on('data', (chunk) => {
    text += chunk
  })
  const ended = new Promise((resolve) => ping.on('close', resolve))
  await what()
  ping.kill('SIGINT')
  await ended
  // While card and bridge both hear, both answer.
  assert.ok((text.match(/DUP!/g) ?? []).length < 10, text)
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? []
  return { sent: Number(sent), lost: Number(sent) - Number(received) }
}

/** A connection to the controller that has to live as long as this. */
async function withConnection<Value>(what: () => Promise<Value>): Promise<Value> {
  const script = `const s = require('net').connect(${gateway.port}, '${gateway.v4}'); s.on('error', () => process.exit(1)); s.pipe(process.stdout); process.stdin.pipe(s)`
  const child = spawn('ip', ['netns', 'exec', host, 'node', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  let echoed = 0
  child.stdout.on('data', (chunk: Buffer) => {
    echoed += chunk.length
  })
  const say = async (bytes: number, until_ = echoed + bytes) => {
    child.stdin.write(Buffer.alloc(bytes))
    await until(`${bytes} bytes over the connection`, async () => echoed >= until_)
  }
  await say(10)
  const value = await what()
  // Many large packets: those with half-made checksums would be lost.
  await say(1 << 20)
  child.kill('SIGKILL')
  return value
}

async function move(world: World): Promise<void> {
  const before = await world.stateOf('eth1')
  const { sent, lost } = await lossDuring(() => withConnection(async () => says((await world.agent()).problems)))
  console.log(`    ${lost} of ${sent} packets lost`)
  assert.ok(sent > 5 && lost <= 10, `${lost} of ${sent} lost`)
  assert.deepEqual(await world.stateOf('eth1'), nothing)
  assert.deepEqual(await world.stateOf('br-eth1'), before)
  assert.match(await world.ovs.vsctl('list-ports', 'br-eth1'), /^eth1$/m)
  assert.deepEqual(
    (await world.journal()).map(({ nic, step, proofs: all }) => [nic, step, all.map(({ by }) => by)]),
    [['eth1', 'moved', ['controller', 'gateway', 'gateway']]],
  )
  for (const address of [gateway.v4, gateway.v6])
    assert.doesNotMatch(await world.inside('ping', '-n', '-c', '3', '-i', '0.1', '-W', '2', address), /DUP!/)
}

async function again(world: World): Promise<void> {
  const [journal, state] = [await world.journal(), await world.stateOf('br-eth1')]
  const { problems, log } = await world.agent()
  says(problems)
  assert.deepEqual(
    log.filter((line) => /network card/.test(line)),
    [],
  )
  assert.deepEqual([await world.journal(), await world.stateOf('br-eth1')], [journal, state])
}

async function restart(world: World): Promise<void> {
  const state = await world.stateOf('br-eth1')
  await world.ovs.kill()
  await world.ovs.start()
  says((await world.agent()).problems)
  assert.deepEqual(await world.stateOf('br-eth1'), state)
  await world.inside('ping', '-n', '-c', '1', '-W', '2', gateway.v4)
}

async function changed(world: World): Promise<void> {
  const state = await world.stateOf('br-eth1')
  await world.inside('ip', 'address', 'add', '203.0.113.77/24', 'dev', 'br-eth1')
  await world.inside('ip', 'address', 'delete', 'fd00:113::5/64', 'dev', 'br-eth1')
  says((await world.agent()).problems)
  const [entry] = await world.journal()
  assert.deepEqual(
    entry?.holding.addresses.map((address) => address.split(' ')[0]),
    ['203.0.113.5/24', '203.0.113.77/24'],
  )
  await world.inside('ip', 'address', 'delete', '203.0.113.77/24', 'dev', 'br-eth1')
  await world.addressCard()
  says((await world.agent()).problems)
  assert.deepEqual(await world.stateOf('br-eth1'), state)
}

async function boot(world: World): Promise<void> {
  const state = await world.stateOf('br-eth1')
  await world.restartHost()
  await world.inside('ip', 'address', 'flush', 'dev', 'br-eth1', 'scope', 'global')
  await world.inside('ip', '-6', 'route', 'delete', 'default', 'dev', 'br-eth1')
  says((await world.agent()).problems)
  assert.deepEqual(await world.stateOf('br-eth1'), nothing, 'nothing before the distribution says what there is')
  await world.inside('ip', 'address', 'add', '203.0.113.6/24', 'dev', 'eth1')
  says((await world.agent()).problems)
  assert.deepEqual(await world.stateOf('br-eth1'), nothing, 'nothing before the routes are there too')
  await world.inside('ip', 'route', 'add', 'default', 'via', gateway.v4, 'dev', 'eth1')
  says((await world.agent()).problems)
  assert.deepEqual(await world.stateOf('br-eth1'), {
    addresses: ['203.0.113.6/24'],
    routes: ['203.0.113.0/24   ', `default ${gateway.v4}  `],
  })
  await world.restartHost()
  await world.inside('ip', 'address', 'flush', 'dev', 'br-eth1', 'scope', 'global')
  const watching = world.agent({ then: { do: 'watch' } })
  await delay(1500)
  await world.addressCard()
  says((await watching).problems)
  assert.deepEqual([await world.stateOf('eth1'), await world.stateOf('br-eth1')], [nothing, state])
}

async function noMore(world: World): Promise<void> {
  const state = await world.stateOf('br-eth1')
  says((await world.agent(noCards)).problems)
  await isAsBefore(world, state)
}

/** The card has everything, the bridge and the switch nothing of it, nobody is shut out. */
async function isAsBefore(world: World, state: unknown): Promise<void> {
  assert.deepEqual(await world.stateOf('eth1'), state)
  assert.deepEqual(await world.stateOf('br-eth1'), nothing)
  assert.doesNotMatch(await world.ovs.vsctl('list-ports', 'br-eth1'), /^eth1$/m)
  assert.equal((await world.ovs.vsctl('get', 'bridge', 'br-eth1', 'other_config')).trim(), '{}')
  assert.deepEqual(await world.journal(), [])
  await until('an answer of the gateway', () =>
    world.inside('ping', '-n', '-c', '1', '-W', '1', gateway.v4).then(
      () => true,
      () => false,
    ),
  )
}

async function rollBack(world: World): Promise<void> {
  const before = await world.stateOf('eth1')
  const running = world.agent()
  // Written down when the gateway has answered and before the card is touched: the only moment that is early and late enough.
  for (let turn = 0; turn < 5000 && (await world.journal()).length === 0; turn++) await delay(1)
  await world.wire('down')
  const { problems } = await running
  await world.wire('up')
  says(
    problems,
    /eth1 was not made part of br-eth1, and everything is as it was: the (controller|gateway) .* did not answer from br-eth1 within 10 s/,
  )
  await isAsBefore(world, before)
}

async function kills(world: World): Promise<void> {
  const before = await world.stateOf('eth1')
  let atWork = 0
  const started = performance.now()
  says((await world.agent(noCards)).problems)
  const took = performance.now() - started
  for (let turn = 0; turn < 6; turn++) {
    // Most of the time goes by before Node has read the program.
    const moment = took * (0.6 + turn * 0.08)
    if (await world.killedAgent({}, moment)) atWork++
    says((await world.agent()).problems)
    assert.deepEqual(
      [await world.stateOf('eth1'), await world.stateOf('br-eth1')],
      [nothing, before],
      `after the kill of turn ${turn}`,
    )
    if (await world.killedAgent(noCards, moment)) atWork++
    says((await world.agent(noCards)).problems)
    await isAsBefore(world, before)
  }
  console.log(`    ${atWork} of 12 were at work when they were killed`)
  assert.ok(atWork > 3)
}

async function uninstall(world: World): Promise<void> {
  const before = await world.stateOf('eth1')
  says((await world.agent()).problems)
  const { sent, lost } = await lossDuring(() => withConnection(() => world.agent({ then: { do: 'return' } })))
  console.log(`    ${lost} of ${sent} packets lost`)
  assert.ok(lost <= 10, `${lost} of ${sent} lost`)
  await isAsBefore(world, before)
}

async function missing(world: World): Promise<void> {
  const all = cards({ bridge: 'br-eth1', nic: 'eth7' }, { bridge: 'br-none', nic: 'lo' }, { bridge: 'br-eth1', nic: 'eth1' })
  const { problems } = await world.agent({ cards: all })
  says(problems, /no network card eth7, which is to be part of br-eth1/, /no bridge br-none, which lo is to be part of/)
  assert.match(await world.ovs.vsctl('list-ports', 'br-eth1'), /^eth1$/m)
  says((await world.agent(noCards)).problems)
}

async function underlay(world: World): Promise<void> {
  const before = await world.stateOf('eth1')
  const tunnel = { ...noCards, tunnelIp: ownAddress }
  says((await world.agent({ ...tunnel, then: { do: 'program', ports: [port([])] } })).problems)
  assert.deepEqual(await world.stateOf('eth1'), before, 'no tunnel, no move')
  const ask = { ...tunnel, then: { do: 'program' as const, ports: [port(['203.0.113.9'])] } }
  says((await world.agent(ask)).problems)
  assert.deepEqual([await world.stateOf('eth1'), await world.stateOf('br-phy')], [nothing, before])
  // Started anew it knows the bridge, tunnels or not.
  says((await world.agent(tunnel)).problems)
  assert.deepEqual(await world.stateOf('br-phy'), before)
  await world.agent({ ...tunnel, then: { do: 'return' } })
  assert.deepEqual(await world.stateOf('eth1'), before)
}

const port = (peers: string[]): SwitchPort => ({
  ...{ id: '9c1f2a6e-0000-4000-8000-000000000001', kind: 'vm', device: 'tap9c1f2a6e-00', mac: 'fa:16:3e:00:00:01' },
  ...{ addresses: ['10.1.0.5'], allowedPairs: [], adminUp: true, guarded: true, rules: [] },
  segment: {
    ...{ networkId: '9c1f2a6e-0000-4000-8000-000000000002', type: 'vxlan', physicalNetwork: undefined, segmentationId: 7 },
    ...{ mtu: 1450, peers, elsewhere: [] },
  },
})
