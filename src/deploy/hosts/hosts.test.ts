import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { settingsOf } from '../answers/settings.ts'
import { configText, nodeConfig } from '../config.ts'
import { placeAt } from '../place.ts'
import { doubles, judgeHost } from './judge.ts'
import { lookUpKey, rememberKey } from './known.ts'
import type { Seen } from './look.ts'
import { forgetHost, recordedHosts } from './record.ts'
import { quoted, type Shell } from './ssh.ts'
import { planLines, targetOf } from './state.ts'

const good: Seen = {
  name: 'h2',
  uid: 0,
  osRelease: 'ID=debian',
  arch: 'x64',
  availableMb: 4000,
  freeMb: 20_000,
  now: 1000,
  hasTun: true,
  hasNamespaces: true,
  program: '',
  config: '',
  isAgentRunning: false,
  isController: false,
  cards: {
    cards: ['lo', 'eth0', 'eth1', 'eth2'],
    pairs: [
      ['lo', '127.0.0.1'],
      ['eth0', '192.0.2.2'],
      ['eth1', '198.51.100.2'],
    ],
    bridged: new Map(),
  },
}
const judge = (seen: Partial<Seen>, tunnelInterface = '') =>
  judgeHost({ ...good, ...seen }, { arch: 'x64', now: 1010, cards: { tunnelInterface, tunnelSubnets: [], uplinks: [] } })

test('a good host has no problem; each thing in the way is one, with a remedy', () => {
  assert.deepEqual(judge({}), [])
  const cases: [Partial<Seen>, RegExp][] = [
    [{ uid: 7 }, /not root/],
    [{ osRelease: 'ID=alpine' }, /apt nor dnf/],
    [{ arch: 'arm64' }, /arm64/],
    [{ availableMb: 9 }, /9 MiB of memory/],
    [{ freeMb: 9 }, /9 MiB are free/],
    [{ now: 5 }, /clock is -1005 s/],
    [{ hasTun: false }, /net\/tun/],
    [{ hasNamespaces: false }, /namespaces/],
    [{ isController: true }, /cloud of its own/],
  ]
  for (const [seen, pattern] of cases) {
    const [one, ...more] = judge(seen)
    assert.match(one?.what ?? '', pattern)
    assert.ok(one?.remedy)
    assert.deepEqual(more, [])
  }
  assert.equal(judge(Object.assign({}, ...cases.map(([seen]) => seen)) as Partial<Seen>).length, cases.length)
  assert.match(judge({}, 'eth7')[0]?.what ?? '', /eth7 has no IPv4 address/)
})

test('two hosts of one name are named', () => {
  assert.deepEqual(
    doubles([
      { address: 'a', name: 'x' },
      { address: 'b', name: 'y' },
    ]),
    [],
  )
  assert.match(
    doubles([
      { address: 'a', name: 'x' },
      { address: 'b', name: 'x' },
    ]).join(),
    /^a and b have one name, x/,
  )
})

const settings = (tunnelInterface = '') =>
  settingsOf(
    new Map([
      ['CONFIG_CONTROLLER_HOST', '192.0.2.1'],
      ['CONFIG_COMPUTE_HOSTS', '192.0.2.2'],
      ['CONFIG_NETWORK_HOSTS', '192.0.2.1'],
      ['CONFIG_NEUTRON_OVS_TUNNEL_IF', tunnelInterface],
    ]),
    new Map(),
  ).settings
const shell: Shell = { run: async () => ({ code: 0, stdout: '', stderr: '' }), close: () => {} }
const target = (seen: Partial<Seen>, tunnelInterface = '', up: string[] = ['h2']) =>
  targetOf(
    { address: '192.0.2.2', shell, usedPassword: false, seen: { ...good, ...seen } },
    { place: placeAt(), settings: settings(tunnelInterface), fingerprint: 'f', up },
  )

test('a host is added, changed or kept by what is seen on it; tunnels go by the interface that was named', () => {
  assert.equal(target({}).state, 'add')
  assert.equal(target({}).node.tunnelIp, '192.0.2.2')
  assert.equal(target({}, 'eth1').node.address, '192.0.2.2')
  assert.equal(target({}, 'eth1').node.tunnelIp, '198.51.100.2')
  const text = configText(nodeConfig(placeAt(), settings(), target({}).node))
  const config = execFileSync('sha256sum', { input: text, encoding: 'utf8' }).split(' ')[0]!
  const whole = { program: 'f', config, isAgentRunning: true }
  assert.equal(target(whole).state, 'keep')
  for (const lack of [{ program: 'old' }, { config: 'x' }, { isAgentRunning: false }])
    assert.equal(target({ ...whole, ...lack }).state, 'change')
  assert.equal(target(whole, '', []).state, 'change')
})

test('the plan names every host', () => {
  const lines = planLines(settings(), [target({})], ['192.0.2.3'], [{ address: '192.0.2.4', name: 'h4' }])
  assert.match(lines[0] ?? '', /added +192\.0\.2\.2 \(h2\)/)
  assert.match(lines[1] ?? '', /192\.0\.2\.3: EXCLUDE_SERVERS/)
  assert.match(lines[2] ?? '', /--remove-host h4/)
})

test('a host that shows another key than before, to us or to root’s ssh, is another host', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'altostack-known-'))
  t.after(() => rm(root, { recursive: true }))
  const place = placeAt(root)
  const key = { type: 'ssh-ed25519', data: 'AAAA' }
  assert.equal(await lookUpKey(place, 'h2', key), 'new')
  await rememberKey(place, 'h2', key)
  assert.equal(await lookUpKey(place, 'h2', key), 'known')
  assert.equal(await lookUpKey(place, 'h2', { ...key, data: 'BBBB' }), 'other')
  await mkdir(join(place.home, '.ssh'), { recursive: true })
  await writeFile(join(place.home, '.ssh/known_hosts'), 'h3,192.0.2.3 ssh-ed25519 CCCC\n')
  assert.equal(await lookUpKey(place, '192.0.2.3', key), 'other')
  assert.deepEqual(await recordedHosts(place), [])
  await forgetHost(place, { address: 'h2', name: 'h2' })
})

test('whatever is in a word, a shell gets it as it is', () => {
  for (const word of ["it's", '$(id)', '`id`', 'a b\n"c"\\'])
    assert.equal(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' }), word)
})
