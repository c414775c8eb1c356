import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pyJson, pyRepr, pyText } from './python.ts'

test('values are printed as Python prints them', () => {
  assert.equal(pyText('a'), 'a')
  assert.equal(pyText(null), 'None')
  assert.equal(pyText(true), 'True')
  assert.equal(pyText(['a', 1, false, null, { b: "it's" }]), `['a', 1, False, None, {'b': "it's"}]`)
  assert.equal(pyRepr(`it's "so"\n`), `'it\\'s "so"\\n'`)
})

test('JSON has blanks after commas and colons, and ASCII only', () => {
  assert.equal(pyJson({ a: [1, 'é', null], b: {} }), '{"a": [1, "\\u00e9", null], "b": {}}')
  assert.equal(pyJson({ a: [], b: [1] }, 2), '{\n  "a": [],\n  "b": [\n    1\n  ]\n}')
})
