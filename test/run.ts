/**
 * The quick tests: `node test/run.ts [part of a path ...]`. All files in one process per core without isolation,
 * because starting a process per file costs ten times the tests themselves.
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findTests, share } from './run/files.ts'
import { runShares } from './run/shares.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = process.argv.slice(2)
const files = findTests(root, ['src', 'images', 'test']).filter(
  ({ path }) => wanted.length === 0 || wanted.some((part) => path.includes(part)),
)
if (files.length === 0) {
  console.error(`no test file ${wanted.length ? `has ${wanted.join(' or ')} in its path` : 'found'}`)
  process.exit(1)
}
const result = await runShares(share(files, availableParallelism()), { each: wanted.length > 0 })
process.exit(result.success ? 0 : 1)
