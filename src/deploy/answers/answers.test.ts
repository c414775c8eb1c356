import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { troubleWith } from './checks.ts'
import { defaultOf } from './defaults.ts'
import { isActing, isInVain, noEffect } from './effects.ts'
import { parseAnswers, withValues } from './file.ts'
import { readKnowledge } from './parameters.ts'
import { settingsOf } from './settings.ts'
import { takeAnswers } from './take.ts'
import { answerText } from './write.ts'

const facts = { host: '192.0.2.10', hostName: 'stack', cores: 2, sshKey: '' }
const secrets = { adminPassword: 'a1', demoPassword: 'd1', linkKey: 'k' }

const take = (lines: string, more: { installed?: string; secrets?: typeof secrets } = {}) => {
  const { entries, problems } = parseAnswers(`[general]\n${lines}`)
  return takeAnswers(entries, {
    knowledge: readKnowledge(),
    facts,
    secrets: undefined,
    file: 'a.txt',
    reading: problems,
    ...more,
  })
}

test('all 292 parameters and the 80 names of 2014 and ten of later are known; each decides something or says why not', () => {
  const { parameters, old } = readKnowledge()
  assert.equal(parameters.length, 292)
  assert.equal(old.length, 80 + 10)
  const names = new Set(parameters.map(({ name }) => name))
  assert.equal(names.size, 292)
  for (const { name } of parameters) assert.notEqual(isActing(name), noEffect(name) !== undefined, name)
  for (const { name, became } of old) {
    if (became !== undefined) assert.ok(names.has(became), `${name}: ${became}`)
    else assert.ok(noEffect(name), name)
  }
})

test('a default asks for nothing in vain, and passes its own check', () => {
  for (const parameter of readKnowledge().parameters) {
    const value = defaultOf(parameter, facts)
    assert.ok(!isInVain(parameter, value, value), parameter.name)
    if (value !== '') assert.equal(troubleWith(value, parameter.accepted), undefined, `${parameter.name}=${value}`)
  }
})

test('a written file has all parameters, and reading it gives the same values without a problem', async () => {
  const first = await take('')
  const text = answerText(readKnowledge(), first.values)
  const { entries, problems } = parseAnswers(text)
  assert.deepEqual(problems, [])
  assert.equal(entries.length, 292)
  const again = await takeAnswers(entries, { knowledge: readKnowledge(), facts, secrets: undefined })
  assert.deepEqual(again.problems, [])
  assert.deepEqual(again.notes, [])
  assert.deepEqual([...again.values], [...first.values])
})

test('the article’s answers of 2014 mean what they meant', async () => {
  const { settings, notes, problems } = await take(
    [
      'CONFIG_NOVA_COMPUTE_HOSTS=192.0.2.10,192.0.2.64',
      'CONFIG_NOVA_NETWORK_HOSTS=192.0.2.10',
      'CONFIG_NOVA_COMPUTE_PRIVIF=eth1',
      'CONFIG_NOVA_NETWORK_PRIVIF=eth1',
      'CONFIG_NEUTRON_OVS_TENANT_NETWORK_TYPE=gre',
      'CONFIG_NEUTRON_OVS_VLAN_RANGES=physnet1,physnet2:101:110',
      'CONFIG_NEUTRON_OVS_TUNNEL_RANGES=1:1000',
      'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS=physnet1:br-ex,physnet2:br-eth1',
    ].join('\n'),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(settings.computeHosts, ['192.0.2.10', '192.0.2.64'])
  assert.deepEqual(settings.networkHosts, ['192.0.2.10'])
  assert.deepEqual(settings.network.tenantTypes, ['gre'])
  assert.deepEqual(settings.network.tunnelIdRanges, [[1, 1000]])
  assert.deepEqual(settings.network.vlanRanges, [
    { physicalNetwork: 'physnet1', from: 1, to: 0 },
    { physicalNetwork: 'physnet2', from: 101, to: 110 },
  ])
  assert.equal(settings.bridgeMappings['physnet2'], 'br-eth1')
  assert.ok(notes.some((note) => note === 'CONFIG_NOVA_COMPUTE_HOSTS is read as CONFIG_COMPUTE_HOSTS'))
  const warnings = notes.filter((note) => note.includes('no effect'))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /CONFIG_NOVA_COMPUTE_PRIVIF, CONFIG_NOVA_NETWORK_PRIVIF\n.*nova-network is gone.*Instead/)
})

test('tunnel ranges of the old plugin are VXLAN’s when its networks were', async () => {
  const { settings } = await take('CONFIG_NEUTRON_OVS_TENANT_NETWORK_TYPE=vxlan\nCONFIG_NEUTRON_OVS_TUNNEL_RANGES=5:9')
  assert.deepEqual(settings.network.vniRanges, [[5, 9]])
})

test('two old names that say different things of one new one are a problem; the new one wins', async () => {
  const clash = await take('CONFIG_KEYSTONE_HOST=192.0.2.1\nCONFIG_GLANCE_HOST=192.0.2.2')
  assert.match(
    clash.problems.join(),
    /a\.txt:3: CONFIG_GLANCE_HOST=192\.0\.2\.2: is CONFIG_CONTROLLER_HOST today, and CONFIG_KEYSTONE_HOST/,
  )
  const both = await take('CONFIG_KEYSTONE_HOST=192.0.2.1\nCONFIG_CONTROLLER_HOST=192.0.2.2')
  assert.deepEqual(both.problems, [])
  assert.equal(both.settings.controller, '192.0.2.2')
  assert.match(
    both.notes.join('\n'),
    /^CONFIG_KEYSTONE_HOST is not read: it is CONFIG_CONTROLLER_HOST today, and line 3 gives another value$/m,
  )
})

test('all problems are told at once, by line, parameter, value and what is allowed; secrets are not shown', async () => {
  const { problems } = await take(
    [
      'CONFIG_PROVISION_DEMO=maybe',
      'CONFIG_COMPUTE_HOST=x',
      'CONFIG_NOVA_SCHED_RAM_ALLOC_RATIO=lots',
      'CONFIG_KEYSTONE_ADMIN_PW=“quoted”',
      'CONFIG_NEUTRON_ML2_VLAN_RANGES=physnet1:9:5000',
      'CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS=physnet1：br-ex',
      'CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES=token-ring',
      'CONFIG_PROVISION_DEMO=n',
      'neither this nor that',
      'CONFIG_SSH_KEY=/nonexistent',
    ].join('\n'),
  )
  const expected = [
    /^a\.txt:2: CONFIG_PROVISION_DEMO=maybe: allowed is y, n$/,
    /^a\.txt:3: CONFIG_COMPUTE_HOST=x: packstack knows no such parameter; is CONFIG_COMPUTE_HOSTS meant\?$/,
    /^a\.txt:4: CONFIG_NOVA_SCHED_RAM_ALLOC_RATIO=lots: allowed is a number$/,
    /^a\.txt:5: CONFIG_KEYSTONE_ADMIN_PW: .*U\+201C/,
    /^a\.txt:6: CONFIG_NEUTRON_ML2_VLAN_RANGES=physnet1:9:5000: "physnet1:9:5000" is no range/,
    /^a\.txt:7: CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS: .*full-width : \(U\+FF1A\).*"physnet1:br-ex"/,
    /^a\.txt:8: CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES=token-ring: allowed are/,
    /^a\.txt:9: CONFIG_PROVISION_DEMO: stands in line 2 already$/,
    /^a\.txt:10: "neither this nor that" is neither/,
    /^a\.txt:11: CONFIG_SSH_KEY=\/nonexistent: there is no such file$/,
  ]
  assert.equal(problems.length, expected.length, problems.join('\n'))
  for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern)
})

test('values of groups that are not read may be what they want', async () => {
  assert.deepEqual((await take('CONFIG_HEAT_INSTALL=n\nCONFIG_HEAT_DB_PW=')).problems, [])
  assert.equal((await take('CONFIG_HEAT_INSTALL=y\nCONFIG_HEAT_DB_PW=')).problems.length, 1)
})

test('passwords: as said, else the cloud’s, else the one default, else drawn; the file then says which', async () => {
  const drawn = await take('CONFIG_KEYSTONE_ADMIN_PW=PW_PLACEHOLDER')
  assert.match(drawn.settings.adminPassword, /^[0-9a-f]{16}$/)
  assert.equal(drawn.drawn.get('CONFIG_KEYSTONE_ADMIN_PW'), drawn.settings.adminPassword)
  const one = await take('CONFIG_DEFAULT_PASSWORD=one\nCONFIG_KEYSTONE_DEMO_PW=two')
  assert.deepEqual([one.settings.adminPassword, one.settings.demoPassword], ['one', 'two'])
  assert.equal((await take('', { secrets })).settings.adminPassword, 'a1')
  assert.deepEqual((await take('CONFIG_KEYSTONE_ADMIN_PW=a1', { secrets })).problems, [])
  assert.match(
    (await take('CONFIG_KEYSTONE_ADMIN_PW=a2', { secrets })).problems.join(),
    /a\.txt:2: CONFIG_KEYSTONE_ADMIN_PW=\*{8}: the cloud has another/,
  )
})

test('what was installed stays where nothing else is said', async () => {
  const installed = '[general]\nCONFIG_COMPUTE_HOSTS=h1,h2\nCONFIG_PROVISION_DEMO=n\n'
  const { settings } = await take('CONFIG_PROVISION_DEMO=y', { installed })
  assert.deepEqual([settings.computeHosts, settings.hasDemo], [['h1', 'h2'], true])
})

test('changed values leave comments, order and everything else as they are', () => {
  const text = '# mine\n[general]\n; why\nCONFIG_A = 1\n\n# CONFIG_A=old\nCONFIG_B=2\n'
  assert.equal(
    withValues(text, new Map([['CONFIG_A', '$&']])),
    text.replace('CONFIG_A = 1', () => 'CONFIG_A = $&'),
  )
})

test('sections: only [general], once, and first', () => {
  const what = (text: string) => parseAnswers(text).problems.map((one) => `${one.line}: ${one.what}`)
  assert.deepEqual(what('[general]\nA=1'), [])
  assert.match(what('A=1\n[general]\nB=2').join(), /1: the section \[general\] must stand before/)
  assert.match(what('[general]\nA=1\n[other]').join(), /3: the section \[other\] is unknown/)
  assert.match(what('［general］\nA=1\n[general]').join(), /3: there may be one/)
})

test('a public key is looked at', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-key-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'good.pub'), 'ssh-ed25519 AAAA me\n')
  await writeFile(join(folder, 'bad.pub'), 'no key\n')
  assert.deepEqual((await take(`CONFIG_SSH_KEY=${folder}/good.pub`)).problems, [])
  assert.match((await take(`CONFIG_SSH_KEY=${folder}/bad.pub`)).problems.join(), /no public SSH key/)
})

test('a tenant type needs its driver, unless the old plugin brought it along', () => {
  const values = new Map([
    ['CONFIG_NEUTRON_ML2_TYPE_DRIVERS', 'flat'],
    ['CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES', 'vlan'],
    ['CONFIG_COMPUTE_HOSTS', 'h'],
    ['CONFIG_NETWORK_HOSTS', 'h'],
  ])
  const said = (name: string) => new Map([['CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES', { name, value: 'vlan' }]])
  assert.equal(settingsOf(values, said('CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES')).problems.length, 1)
  assert.equal(settingsOf(values, said('CONFIG_NEUTRON_OVS_TENANT_NETWORK_TYPE')).problems.length, 0)
})
