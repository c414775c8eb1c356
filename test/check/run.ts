/** The check: `./check [--all] [--only NAME ...]`. Runs every chosen part, also after one has failed, and ends with a table. */

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installMissing } from './packages.ts'
import { choose, parts } from './parts.ts'
import { runParts } from './run-part.ts'

const usage = `./check              the quick parts: types, lint, imports, docs, tests (no root, no real guest)
./check --all        what CI runs: as root, adds the parts with real programs
./check --only NAME  one part; may be repeated. Names: ${parts.map(({ name }) => name).join(' ')}`

const options = { all: { type: 'boolean' }, only: { type: 'string', multiple: true }, help: { type: 'boolean' } } as const
const { values } = parseArgs({ options })
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const chosen = choose({ all: values.all ?? false, only: values.only ?? [] })
if (typeof chosen === 'string') {
  console.error(chosen)
  process.exit(2)
}
const root = fileURLToPath(new URL('../..', import.meta.url))
await installMissing(chosen.flatMap(({ packages = [] }) => packages))
const results = await runParts(chosen, root)

console.log('')
for (const { part, seconds, trouble } of results)
  console.log(`${part.name.padEnd(14)}${seconds.toFixed(1).padStart(7)} s  ${trouble ?? 'ok'}`)
const failed = results.filter(({ trouble }) => trouble !== undefined).length
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
