import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withContext } from '../context.ts'
import { Problem } from '../errors.ts'
import { connect, loopback } from './contract.ts'

type Shelf = { put(ask: { name: string }): Promise<{ name: string }>; refuse(ask: { name: string }): Promise<void> }
const shelf = (kept: { name: string }[] = []): Shelf => ({
  async put(ask) {
    kept.push(ask)
    return ask
  },
  async refuse() {
    throw new Problem('conflict', 'No.')
  },
})

test('a call gives what the service gives, and throws what it throws', async () => {
  const calls = connect('shelf', shelf())
  assert.deepEqual(await calls.put({ name: 'a' }), { name: 'a' })
  await assert.rejects(calls.refuse({ name: 'a' }), (error: Problem) => error.kind === 'conflict')
})

test('no call joins a transaction of its caller', async () => {
  await withContext({ afterCommit: [] }, () =>
    assert.rejects(connect('shelf', shelf()).put({ name: 'a' }), /shelf.put .* transaction/),
  )
})

test('in tests nobody shares an object with the other side', async () => {
  const kept: { name: string }[] = []
  const ask = { name: 'a' }
  const answer = await loopback('shelf', shelf(kept)).put(ask)
  answer.name = 'b'
  kept[0]!.name = 'c'
  assert.deepEqual([ask, answer, kept], [{ name: 'a' }, { name: 'b' }, [{ name: 'c' }]])
})

test('each call that came back counts as an effect on the world', async () => {
  const seen: string[] = []
  const effects = { tick: (what: string) => void seen.push(what) }
  await withContext({ effects }, () => connect('shelf', shelf()).put({ name: 'a' }))
  assert.deepEqual(seen, ['shelf.put'])
})
