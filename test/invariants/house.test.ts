import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serviceNames } from '../../src/main/services.ts'
import { findSources } from '../run/files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('every library the program depends on is imported by it', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const texts = findSources(root, ['src', 'bin']).map((path) => readFileSync(path, 'utf8'))
  const idle = Object.keys(dependencies).filter((name) => !texts.some((text) => new RegExp(`'${name}['/]`).test(text)))
  assert.deepEqual(idle, [])
})

test('every service has a README of about a page', () => {
  for (const name of serviceNames) {
    const path = join(root, 'src/services', name, 'README.md')
    assert.ok(existsSync(path), path)
    const lines = readFileSync(path, 'utf8').split('\n').length
    assert.ok(lines >= 10 && lines <= 120, `${path}: ${lines} lines`)
  }
})

test('every link in the documents leads to a file', () => {
  const documents = ['README.md', 'docs/architecture.md', ...serviceNames.map((name) => `src/services/${name}/README.md`)]
  const broken = documents.flatMap((document) =>
    [...readFileSync(join(root, document), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, link = '']) => join(root, document, '..', link))
      .filter((path) => !existsSync(path))
      .map((path) => `${document}: ${path}`),
  )
  assert.deepEqual(broken, [])
})
