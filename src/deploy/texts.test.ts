import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { settingsOf } from './answers/settings.ts'
import { answerFileName, isAnswerFileName } from './answers/write.ts'
import { bullets } from './bullets.ts'
import { nodeConfig } from './config.ts'
import { cloudsYaml, keystonerc } from './credentials.ts'
import { distributionOf } from './packages.ts'
import { placeAt } from './place.ts'
import { screenOn } from './screen.ts'
import { agentSecretsText, drawKey, drawPassword, parseSecrets, secretsText } from './secrets.ts'
import { asUser, daemons } from './supervision/services.ts'
import { unitText } from './supervision/units.ts'

const where = { host: '192.0.2.10', region: 'RegionOne' }

test('keystonerc_admin gives a shell what clients want, keystonerc_demo has no region', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-rc-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'rc')
  await writeFile(file, keystonerc({ name: 'admin', password: 'p$w' }, where))
  const shown = execFileSync('sh', ['-c', '. "$0" && env', file], { encoding: 'utf8', env: { OS_SERVICE_TOKEN: 'x' } })
  const variables = shown.split('\n').filter((line) => line.startsWith('OS_'))
  assert.deepEqual(variables.sort(), [
    'OS_AUTH_URL=http://192.0.2.10:5000/v3',
    'OS_IDENTITY_API_VERSION=3',
    'OS_PASSWORD=p$w',
    'OS_PROJECT_DOMAIN_NAME=Default',
    'OS_PROJECT_NAME=admin',
    'OS_REGION_NAME=RegionOne',
    'OS_USERNAME=admin',
    'OS_USER_DOMAIN_NAME=Default',
  ])
  assert.match(shown, /^PS1=\[\\u@\\h \\W\(keystone_admin\)\]\\\$ $/m)
  assert.doesNotMatch(keystonerc({ name: 'demo', password: 'x' }, where), /REGION/)
})

test('clouds.yaml names both users', () => {
  const text = cloudsYaml('aaaa', 'dddd', where)
  assert.match(text, /^ {2}altostack:$/m)
  assert.match(text, /^ {2}altostack-demo:$/m)
  assert.equal(text.match(/auth_url: http:\/\/192\.0\.2\.10:5000\/v3/g)?.length, 2)
})

test('answer files are named by local date and time', () => {
  const name = answerFileName(new Date(2026, 0, 2, 3, 4, 5))
  assert.equal(name, 'packstack-answers-20260102-030405.txt')
  assert.ok(isAnswerFileName(name))
  assert.ok(!isAnswerFileName('packstack-answers-mine.txt'))
})

test('secrets are read back; a half-written file gives none; the agent gets the link key only', () => {
  const secrets = { adminPassword: drawPassword(), demoPassword: drawPassword(), linkKey: drawKey(), linkCertificate: 'c' }
  assert.match(secrets.adminPassword, /^[0-9a-f]{16}$/)
  assert.deepEqual(parseSecrets(secretsText(secrets)), secrets)
  for (const text of [undefined, '', '{"adminPassword":"x"}', secretsText(secrets).slice(0, 40)])
    assert.equal(parseSecrets(text), undefined)
  assert.deepEqual(JSON.parse(agentSecretsText(secrets)), { linkKey: secrets.linkKey, linkCertificate: 'c' })
})

const node = {
  name: 'host1',
  address: '192.0.2.10',
  tunnelIp: '192.0.2.10',
  isController: true,
  isNetworkHost: true,
  isGateway: true,
  runsAgent: true,
}
const settings = settingsOf(
  new Map([
    ['CONFIG_CONTROLLER_HOST', '192.0.2.10'],
    ['CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS', 'extnet:br-ex,physnet2:br-eth1'],
    ['CONFIG_PROVISION_OVS_BRIDGE', 'y'],
  ]),
  new Map(),
).settings

test('the configuration names the bridge of the demo network and holds no secret', () => {
  const config = nodeConfig(placeAt(), settings, node)
  assert.deepEqual(config.daemons, ['controller', 'agent'])
  assert.deepEqual(config.agent.bridgeMappings, { extnet: 'br-ex', physnet2: 'br-eth1' })
  assert.deepEqual(config.agent.externalBridge, { bridge: 'br-ex', address: '172.24.4.1/24' })
  assert.equal(config.agent.name, 'host1')
  assert.doesNotMatch(JSON.stringify(config), /password|key/i)
})

test('a host that only runs guests has no way out of its own, and finds the controller by its address', () => {
  const { daemons: names, agent } = nodeConfig(placeAt(), settings, {
    ...node,
    isController: false,
    isNetworkHost: false,
    isGateway: false,
  })
  assert.deepEqual(names, ['agent'])
  assert.deepEqual(agent.bridgeMappings, { physnet2: 'br-eth1' })
  assert.ok(!('externalBridge' in agent))
  assert.equal(agent.controller, 'https://192.0.2.10:8781')
})

test('the controller runs without rights, the agent as root', () => {
  const [controller, agent] = daemons(placeAt())
  assert.ok(controller && agent)
  assert.equal(agent.user, 'root')
  const argv = asUser(controller.user, controller.argv)
  assert.ok(argv.includes('--no-new-privs') && argv.includes('--bounding-set=-all') && argv.includes('--reuid=altostack'))
  assert.deepEqual(asUser('root', ['x']), ['x'])
  assert.match(unitText(controller, placeAt()), /^User=altostack$/m)
  assert.match(unitText(controller, placeAt()), /^CapabilityBoundingSet=$/m)
  assert.match(unitText(agent, placeAt()), /^KillMode=process$/m)
  assert.doesNotMatch(unitText(agent, placeAt()), /ProtectSystem/)
  assert.deepEqual(daemons(placeAt(), ['agent']), [agent])
})

test('packages go by the kind of distribution', () => {
  const image = { apt: ['lz4'], dnf: ['lz4'] }
  const debian = distributionOf('ID=debian\nVERSION_ID="12"\n', 'x64', image)
  assert.equal(debian?.name, 'apt')
  assert.ok(debian.packages.includes('qemu-system-x86') && debian.packages.includes('lz4'))
  assert.equal(distributionOf('ID="centos"\nID_LIKE="rhel fedora"\n', 'x64', image)?.name, 'dnf')
  assert.equal(distributionOf('ID=alpine\n', 'x64', image), undefined)
  assert.ok(distributionOf('ID=debian\n', 'arm64', image)?.packages.includes('qemu-system-arm'))
})

test('a line ends at the 70th column; colours are for terminals', () => {
  let said = ''
  const write = (text: string) => {
    said += text
  }
  screenOn({ write }).done('Making secrets')
  assert.equal(said, `Making secrets${' '.repeat(48)}[ DONE ]\n`)
  said = ''
  screenOn({ isTTY: true, write }).failed('Making secrets', 'no room')
  assert.match(said, /\u001b\[31m\[ ERROR \]\u001b\[0m\n\u001b\[31mERROR : no room/)
})

test('the end tells how to come back after a reboot only where nothing else does', () => {
  const end = {
    host: 'h',
    home: '/root',
    answerFile: '/root/a',
    accelerator: 'tcg',
    hasDemo: true,
    logFile: '/l',
    program: '/opt/altostack',
    commands: [],
  } as const
  const isTold = (supervision: 'systemd' | 'loop') => bullets({ ...end, supervision }).some((line) => line.includes('--start'))
  assert.ok(isTold('loop'))
  assert.ok(!isTold('systemd'))
})
