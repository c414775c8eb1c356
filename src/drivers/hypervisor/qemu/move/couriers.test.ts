import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../../kit/log.ts'
import type { Links } from '../links.ts'
import { openCouriers } from './couriers.ts'

/** Links that hear what the test says. */
function world() {
  const told: string[] = []
  let stir = (_: string) => {}
  const links: Pick<Links, 'hear' | 'tell'> = {
    hear(heard) {
      stir = heard
      return () => {}
    },
    tell: (id) => void told.push(id),
  }
  return { couriers: openCouriers(links, silentLog), told, stir: (id: string) => stir(id) }
}

const long = 60_000

test('a guest has one courier, and its end is told', async () => {
  const { couriers, told, stir } = world()
  const done: string[] = []
  couriers.attend('a', async (way) => {
    await way.rest(long)
    done.push('first')
  })
  couriers.attend('a', async () => void done.push('second'))
  assert.ok(couriers.attends('a'))
  stir('b')
  assert.deepEqual(done, [])
  stir('a')
  await couriers.stop('a')
  assert.deepEqual([done, told, couriers.attends('a')], [['first'], ['a'], false])
})

test('a courier that is stopped rests no more, and is waited for', async () => {
  const { couriers } = world()
  let rounds = 0
  couriers.attend('a', async (way) => {
    while (!way.stopped) {
      rounds++
      await way.rest(long)
    }
  })
  await couriers.stopAll()
  assert.equal(rounds, 1)
})

test('a courier that fails is gone, and another may go', async () => {
  const { couriers, told } = world()
  couriers.attend('a', () => Promise.reject(new Error('no')))
  await couriers.stop('a')
  couriers.attend('a', async () => {})
  await couriers.stop('a')
  assert.deepEqual(told, ['a', 'a'])
})
