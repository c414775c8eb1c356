import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostInventory } from '../agents/document.ts'
import { compare } from './doctor.ts'

const inventory = (parts: Partial<HostInventory>): HostInventory => ({
  vms: [],
  ports: [],
  namespaces: [],
  files: [],
  problems: [],
  ...parts,
})
const audit = { problems: [], exists: {}, holds: {} }

test('nothing is said when rows, services and hosts agree', () => {
  const seen = inventory({ vms: [{ id: 'v', pid: 1 }], namespaces: ['qrouter-r'] })
  const rows = { ...audit, exists: { vm: ['v'], router: ['r'], allocation: ['v'] } }
  assert.deepEqual(compare([rows, { ...audit, holds: { allocation: ['v'] } }], [{ host: 'h', inventory: seen }]), [])
})

test('an orphan, a missing thing and a thing that is there twice are named with a remedy', () => {
  const seen = inventory({ vms: [{ id: 'orphan', pid: 1 }], ports: [{ id: 'p', device: 'tap1', bridge: 'br-int' }] })
  const told = compare(
    [{ ...audit, exists: { vm: ['lost'], port: ['p'] }, holds: { allocation: ['orphan'] } }],
    [
      { host: 'a', inventory: seen },
      { host: 'b', inventory: inventory({ ports: seen.ports, problems: ['a tap without a port'] }) },
    ],
  )
  assert.equal(told.length, 5)
  assert.match(told.join('\n'), /b: a tap without a port/)
  assert.match(told.join('\n'), /vm orphan exists and should not/)
  assert.match(told.join('\n'), /vm lost should exist and does not/)
  assert.match(told.join('\n'), /port p exists twice/)
  assert.match(told.join('\n'), /allocation orphan exists and should not/)
})

test('what should be on two hosts may be on two', () => {
  const seen = inventory({ ports: [{ id: 'p', device: 'tap1', bridge: 'br-int' }] })
  const both = [
    { host: 'a', inventory: seen },
    { host: 'b', inventory: seen },
  ]
  assert.deepEqual(compare([{ ...audit, exists: { port: ['p', 'p'] } }], both), [])
  assert.deepEqual(compare([{ ...audit, exists: { port: ['p'] } }], both), ['port p exists twice'])
})

test('of a host that does not answer nothing is said to be missing', () => {
  const told = compare([{ ...audit, exists: { vm: ['v'] } }], [{ host: 'h', inventory: undefined }])
  assert.deepEqual(told.length, 1)
  assert.match(told[0]!, /host h does not answer/)
})
