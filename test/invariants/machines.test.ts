import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outlineCloud } from '../../src/main/outline.ts'
import { serviceNames } from '../../src/main/services.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))
const crashTests = () =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .filter((text) => text.includes('everyCrash('))

test('every machine has a test that kills it after each effect', async (t) => {
  const cloud = await outlineCloud()
  t.after(() => cloud.close())
  const kinds = serviceNames.flatMap((name) => cloud.services[name].machines.map((machine) => machine.kind))
  const tests = crashTests()
  const without = kinds.filter((kind) => !tests.some((text) => text.includes(kind)))
  assert.deepEqual(without, [])
  assert.ok(kinds.length > 0)
})

test('every machine can be torn down and can fail, by states it has', async (t) => {
  const cloud = await outlineCloud()
  t.after(() => cloud.close())
  for (const machine of serviceNames.flatMap((name) => cloud.services[name].machines)) {
    for (const state of [machine.first, machine.teardown, machine.failed])
      assert.ok(machine.steps[state], `${machine.kind} has no state ${state}`)
  }
})
