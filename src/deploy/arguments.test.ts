import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKnowledge } from './answers/parameters.ts'
import { parseAsk } from './arguments.ts'

const parse = (argv: string[], isInteractive = false) => {
  let said = ''
  const print = (text: string) => {
    said += text
  }
  const ask = parseAsk(argv, { knowledge: readKnowledge(), version: '1.2.3', print, isInteractive })
  return { ask, said }
}
const deploy = { mode: 'deploy', dryRun: false, isDebug: false, timeoutSeconds: 300 }
const options = { from: 'options', isAllInOne: false, entries: [] }

test('each mode is understood', () => {
  const allinone = { ...deploy, source: { ...options, isAllInOne: true } }
  assert.deepEqual(parse(['--allinone']).ask, allinone)
  assert.deepEqual(parse(['--allinone', '--dry-run']).ask, { ...allinone, dryRun: true })
  assert.deepEqual(parse(['--allinone', '-y', '-d', '-t', '9']).ask, {
    ...allinone,
    dryRun: true,
    isDebug: true,
    timeoutSeconds: 9,
  })
  assert.deepEqual(parse(['--install-hosts=192.0.2.1,192.0.2.2']).ask, {
    ...deploy,
    source: { ...options, hosts: ['192.0.2.1', '192.0.2.2'] },
  })
  assert.deepEqual(parse(['--answer-file=a.txt', '-d']).ask, {
    ...deploy,
    isDebug: true,
    source: { from: 'file', file: 'a.txt' },
  })
  assert.deepEqual(parse(['--uninstall', '--keep-data']).ask, { mode: 'uninstall', keepData: true })
  assert.deepEqual(parse(['--gen-answer-file=a.txt']).ask, { mode: 'gen-answer-file', file: 'a.txt', source: options })
  assert.deepEqual(parse(['--validate-answer-file', 'a.txt']).ask, { mode: 'validate-answer-file', file: 'a.txt' })
  assert.deepEqual(parse(['--remove-host', 'h2']).ask, { mode: 'remove-host', host: 'h2', timeoutSeconds: 300 })
  assert.deepEqual(parse([], true).ask, { ...deploy, source: { from: 'questions', entries: [] } })
  for (const mode of ['start', 'stop', 'status', 'options'] as const) assert.deepEqual(parse([`--${mode}`]).ask, { mode })
})

test('options of parameters become answers, today’s and those of 2013, underscores too', () => {
  const entries = (argv: string[]) => (parse(['--allinone', ...argv]).ask as { source: { entries: unknown } }).source.entries
  assert.deepEqual(entries(['--os-heat-install=y', '--default-password', 'x']), [
    { name: 'CONFIG_DEFAULT_PASSWORD', value: 'x', line: 0 },
    { name: 'CONFIG_HEAT_INSTALL', value: 'y', line: 0 },
  ])
  assert.deepEqual(entries(['--novacompute-hosts=h2']), [{ name: 'CONFIG_NOVA_COMPUTE_HOSTS', value: 'h2', line: 0 }])
  assert.deepEqual(entries(['--standalone_network_plugin_mask=24']), [
    { name: 'CONFIG_MANILA_NETWORK_STANDALONE_NETMASK', value: '24', line: 0 },
  ])
})

test('every option of packstack is known', () => {
  const { parameters, old } = readKnowledge()
  for (const flag of [...parameters.flatMap(({ option }) => option ?? []), ...old.flatMap((one) => one.options)])
    assert.notEqual(parse(['--allinone', `${flag}=y`]).ask, 2, flag)
})

test('a wrong option ends with 2 and says why', () => {
  const cases = [
    [],
    ['--allinone', '--stop'],
    ['--stop', '--dry-run'],
    ['--allinone', '--keep-data'],
    ['--nonsense'],
    ['word'],
    ['--allinone', '--answer-file=a'],
    ['--answer-file=a', '--default-password=x'],
    ['--answer-file=a', '--gen-answer-file=b'],
    ['--allinone', '--timeout=soon'],
  ]
  for (const argv of cases) {
    const { ask, said } = parse(argv)
    assert.equal(ask, 2, argv.join(' '))
    assert.ok(said.length > 10)
  }
})

test('a dash pasted from a web page is recognised', () => {
  const { ask, said } = parse(['–allinone'])
  assert.equal(ask, 2)
  assert.match(said, /en dash \(U\+2013\)/)
})

test('help and version are no errors; help has all groups', () => {
  const { ask, said } = parse(['--help'])
  assert.equal(ask, 0)
  assert.match(said, /--allinone/)
  assert.match(said, /^NEUTRON_ML2_PLUGIN:$/m)
  assert.match(said, /--os-neutron-ml2-vlan-ranges/)
  assert.deepEqual(parse(['--version']), { ask: 0, said: '1.2.3\n' })
})
