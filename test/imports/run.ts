/** The import rules over the whole program: `node test/imports/run.ts`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findSources } from '../run/files.ts'
import { readImports } from './cruise.ts'
import { uncaught } from './planted.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['src', 'bin', 'images', 'test'].filter((folder) => existsSync(join(root, folder)))
const { modules, violations } = await readImports(root, folders)
const expected = findSources(root, folders).length
const troubles = [
  ...violations,
  ...(modules < expected ? [`read ${modules} modules of ${expected}: the rest was not looked at`] : []),
  ...(await uncaught()).map((rule) => `${rule}: an import planted against it was not caught`),
]
for (const trouble of troubles) console.error(trouble)
console.log(`imports: ${modules} modules read, ${troubles.length} troubles`)
process.exit(troubles.length === 0 ? 0 : 1)
