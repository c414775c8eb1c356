import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Vswitch } from '../drivers/vswitch/driver.ts'
import { liveSwitch } from './live-switch.ts'

test('who watches goes on watching after the switch was opened anew, and the last one is closed', async () => {
  const said: string[] = []
  const told: (() => void)[] = []
  let opened = 0
  const open = (): Vswitch => {
    const name = `switch ${++opened}`
    const nothing = async () => {}
    return {
      ...{ plug: nothing, unplug: nothing, list: async () => [], program: async () => [] },
      ...{ inventory: async () => ({ ports: [], problems: [] }), close: async () => void said.push(`${name} closed`) },
      prepare: async () => void said.push(`${name} prepared`),
      watch(changed) {
        told.push(changed)
        return () => void said.push(`${name} unwatched`)
      },
    }
  }
  const live = liveSwitch(open)
  const stop = live.watch(() => said.push('changed'))
  await live.prepare()
  await live.reopen()
  await live.prepare()
  told.at(-1)?.()
  stop()
  assert.deepEqual(said, [
    'switch 1 prepared',
    'switch 1 unwatched',
    'switch 1 closed',
    'switch 2 prepared',
    'changed',
    'switch 2 unwatched',
  ])
})
