import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listText, oneText, type Shape } from './output.ts'
import { fittingWidths, tableLines, widthOf } from './table.ts'

const shape: Shape = {
  format: 'table',
  columns: [],
  quote: 'nonnumeric',
  noindent: false,
  prefix: '',
  maxWidth: 0,
  fitWidth: false,
  printEmpty: false,
  sortColumns: [],
  sortDown: false,
}
const columns = ['id', 'size', 'lines']
const rows = [
  ['b', 7, 'x\ny'],
  ['a', 12, ''],
]
const list = (change: Partial<Shape>) => listText(columns, rows, { ...shape, ...change })

test('a table has numbers on the right and a line for each of a cell', async () => {
  assert.equal(
    await list({}),
    [
      '+----+------+-------+',
      '| id | size | lines |',
      '+----+------+-------+',
      '| b  |    7 | x     |',
      '|    |      | y     |',
      '| a  |   12 |       |',
      '+----+------+-------+',
      '',
    ].join('\n'),
  )
})

test('a list without rows is an empty line, or a table without rows when asked for', async () => {
  assert.equal(await listText(['id'], [], shape), '\n')
  assert.equal(await listText(['id'], [], { ...shape, printEmpty: true }), '+----+\n| id |\n+----+\n+----+\n')
})

test('the forms for programs', async () => {
  assert.equal(await list({ format: 'value' }), 'b 7 x\ny\na 12 \n')
  assert.equal(await list({ format: 'csv' }), '"id","size","lines"\n"b",7,"x\ny"\n"a",12,""\n')
  assert.equal(await list({ format: 'csv', quote: 'minimal' }), 'id,size,lines\nb,7,"x\ny"\na,12,\n')
  assert.equal(JSON.parse(await list({ format: 'json' }))[1].size, 12)
  assert.equal(await list({ format: 'yaml', columns: ['id'] }), '- id: b\n- id: a\n')
  assert.equal(
    await oneText({ 'a:b-c': 'say "x"', n: null }, { ...shape, format: 'shell', prefix: 'p_' }),
    'p_a_b_c="say \\"x\\""\np_n="None"\n',
  )
})

test('columns are chosen and rows ordered; none that is known is an error', async () => {
  assert.equal(await list({ format: 'value', columns: ['id'], sortColumns: ['size'] }), 'b\na\n')
  assert.equal(await list({ format: 'value', columns: ['id'], sortColumns: ['id'] }), 'a\nb\n')
  assert.equal(await list({ format: 'value', columns: ['id'], sortColumns: ['size'], sortDown: true }), 'a\nb\n')
  await assert.rejects(list({ columns: ['nonsense'] }), /No recognized column names in \['nonsense'\]/)
})

test('wide characters take two columns', () => {
  assert.equal(widthOf('网络'), 4)
  assert.deepEqual(tableLines(['n'], [['网'], ['abc']]), ['+-----+', '| n   |', '+-----+', '| 网  |', '| abc |', '+-----+'])
})

test('a table is made to fit: long columns share what the short ones leave, and words break at blanks or hyphens', () => {
  assert.deepEqual(fittingWidths([4, 40, 40], 60, 8), [undefined, 23, 23])
  assert.deepEqual(fittingWidths([4, 4], 60, 8), [undefined, undefined])
  assert.deepEqual(tableLines(['a'], [['one two-three 0123456789']], [], [8]).slice(3, -1), [
    '| one two- |',
    '| three 01 |',
    '| 23456789 |',
  ])
})
