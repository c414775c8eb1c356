import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Facts, judge } from './judge.ts'

const good: Facts = {
  uid: 0,
  packager: 'apt',
  osName: 'Debian GNU/Linux 12 (bookworm)',
  arch: 'x64',
  availableMb: 4000,
  freeMb: 20_000,
  freeAt: '/var/lib',
  takenPorts: [],
  newestFile: 1_790_000_000,
  now: 1_790_000_100,
  missingPackages: [],
  hasTun: true,
  hasNamespaces: true,
  overlaps: [],
  host: '192.0.2.10',
  accelerator: 'kvm',
  installation: 'none',
}
const problems = (facts: Partial<Facts>) => judge({ ...good, ...facts }).filter(({ isProblem }) => isProblem)

test('a good machine has no problem', () => assert.deepEqual(problems({}), []))

test('software emulation, dnf and a half-made installation are said and do not stop', () => {
  const facts: Facts = { ...good, accelerator: 'tcg', packager: 'dnf', installation: 'half', missingPackages: ['qemu-utils'] }
  assert.equal(judge(facts).length, 4)
  assert.deepEqual(problems(facts), [])
})

const cases: [string, Partial<Facts>, RegExp][] = [
  ['a user who is not root', { uid: 1000 }, /not run by root/],
  ['an unknown distribution', { packager: undefined }, /neither apt nor dnf/],
  ['an unknown processor', { arch: 'riscv64' }, /riscv64/],
  ['too little memory', { availableMb: 500 }, /500 MiB of memory/],
  ['a full disk', { freeMb: 100 }, /100 MiB are free in \/var\/lib/],
  ['a taken port', { takenPorts: [5000] }, /port 5000/],
  ['a clock before the program was written', { now: 1_600_000_000 }, /clock is wrong/],
  ['no package source', { sourceTrouble: 'timed out' }, /timed out/],
  ['no tun device', { hasTun: false }, /net\/tun/],
  ['no namespaces', { hasNamespaces: false }, /namespaces/],
  ['a network in the way', { overlaps: ['eth1'] }, /eth1/],
  ['no address', { host: undefined }, /no address/],
  ['a stranger with our name', { foreignUser: '/home/altostack' }, /user altostack/],
]
for (const [name, facts, expected] of cases)
  test(`${name} is a problem with a remedy`, () => {
    const found = problems(facts)
    assert.equal(found.length, 1)
    assert.match(found[0]?.what ?? '', expected)
    assert.ok(found[0]?.remedy)
  })

test('all problems are named at once', () => {
  const all = Object.assign({}, ...cases.map(([, facts]) => facts)) as Partial<Facts>
  assert.equal(problems(all).length, cases.length)
})
