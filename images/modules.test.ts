import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dependsOf, insertOrder } from './modules.ts'

test('a module tells what it depends on', () => {
  assert.deepEqual(dependsOf(Buffer.from('\x7fELF\0license=GPL\0depends=virtio_ring,virtio\0retpoline=Y\0')), [
    'virtio_ring',
    'virtio',
  ])
  assert.deepEqual(dependsOf(Buffer.from('\0depends=\0')), [])
  assert.deepEqual(dependsOf(Buffer.from('no such section')), [])
})

test('each module comes after what it needs, once; what the kernel has built in is left out', () => {
  const needs: Record<string, string[]> = {
    virtio_pci: ['virtio_ring', 'virtio'],
    virtio: ['virtio_ring'],
    virtio_ring: [],
    virtio_rng: ['virtio', 'built-in'],
  }
  const order = insertOrder(['virtio_pci', 'virtio-rng', 'gone'], (name) => needs[name])
  assert.deepEqual(order, ['virtio_ring', 'virtio', 'virtio_pci', 'virtio_rng'])
})

test('modules that need each other do not go on for ever', () => {
  const needs: Record<string, string[]> = { a: ['b'], b: ['a'] }
  assert.deepEqual(
    insertOrder(['a'], (name) => needs[name]),
    ['b', 'a'],
  )
})
