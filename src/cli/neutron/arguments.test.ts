import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Misused, type Option, readArguments, readPairs, type Syntax } from './arguments.ts'
import { readExtra, Unclear } from './extra.ts'

const option = (flag: string, more: Partial<Option> = {}): Option => ({
  flag,
  key: flag.slice(2).replaceAll('-', '_'),
  kind: 'text',
  ...more,
})
const syntax: Syntax = {
  positionals: [
    { key: 'network', metavar: 'NETWORK' },
    { key: 'cidr', metavar: 'CIDR', many: 'optional' },
  ],
  options: [
    option('--tenant-id', { hasOldSpelling: true }),
    option('--gateway', { apart: 'gateway' }),
    option('--no-gateway', { kind: 'set', key: 'gateway', value: null, apart: 'gateway' }),
    option('--dns', { kind: 'many' }),
    option('--ip-version', { kind: 'integer', choices: ['4', '6'], preset: 4 }),
    option('--format', { short: '-f' }),
  ],
}
const read = (line: string) => readArguments(line.split(' '), syntax)

test('options are taken by their whole name, its only beginning, or the spelling of old', () => {
  assert.equal(read('n --tenant-id=x').values['tenant_id'], 'x')
  assert.equal(read('n --tenant_id x').values['tenant_id'], 'x')
  assert.equal(read('n --ten x').values['tenant_id'], 'x')
  assert.equal(read('n -fjson').values['format'], 'json')
  assert.deepEqual(read('--dns 1 n --dns 2').values, { network: 'n', ip_version: 4, dns: ['1', '2'] })
  assert.equal(read('n --no-gateway').values['gateway'], null)
})

test('what is not known is kept in its order, and its value is taken for a word where one is missing', () => {
  assert.deepEqual(read('n c --mtu 9 --flag').extra, ['--mtu', '9', '--flag'])
  assert.deepEqual(read('--mtu 9').values['network'], '9')
  assert.deepEqual(read('n -- --mtu 9').extra, ['--mtu', '9'])
  assert.equal(read('n --mtu 9').values['cidr'], undefined)
})

test('wrong use is told in words that name the option', () => {
  const told: [string, RegExp][] = [
    ['--dns 1', /required: NETWORK/],
    ['n --tenant-id --dns 1', /argument --tenant-id: expected one argument/],
    ['n --ip-version 5', /invalid choice: 5 \(choose from 4, 6\)/],
    ['n --ip-version x', /invalid int value: 'x'/],
    ['n --gateway 1 --no-gateway', /--no-gateway: not allowed with argument --gateway/],
  ]
  for (const [line, words] of told)
    assert.throws(
      () => read(line),
      (error) => error instanceof Misused && words.test(error.message),
      line,
    )
})

test('pairs keep commas that are no border, and know their keys', () => {
  assert.deepEqual(readPairs('opt_name=dns,opt_value=1,2', '--o', {}), { opt_name: 'dns', opt_value: '1,2' })
  assert.throws(() => readPairs('begin=1', '--o', { required: ['start', 'end'] }), /Invalid key\(s\) 'begin'/)
  assert.throws(() => readPairs('start=1', '--o', { required: ['start', 'end'] }), /Required key\(s\) 'end' not specified/)
})

test('further fields of the API have the type that is said', () => {
  const fields = readExtra(
    '--a --b 1 --c type=int 2 --d list=true x --e x y --f action=clear --g-h=i --j type=dict k=l --m type=bool true'.split(' '),
  )
  assert.deepEqual(fields, { a: true, b: '1', c: 2, d: ['x'], e: ['x', 'y'], f: null, g_h: 'i', j: { k: 'l' }, m: true })
  for (const line of ['word', '--a type=float 1', '--a type=int', '--a 1 --a 2', '---a', '--a=1 2'])
    assert.throws(() => readExtra(line.split(' ')), Unclear, line)
})
