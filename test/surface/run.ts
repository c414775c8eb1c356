/**
 * How much of OpenStack's published surface is there: `npm run surface [-- FOLDER] [--missing SERVICE]`. FOLDER holds surface.tsv and policies.tsv;
 * default: `../shared/api` beside this checkout. With `--clients` Debian's clients walk through identity and image instead (root is not needed), which
 * needs no table; with FOLDER's osc-commands.tsv it also says what of newer clients was tried.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { outlineCloud } from '../../src/main/outline.ts'
import type { ServiceName } from '../../src/main/services.ts'
import { commandTable, walkClients } from '../clients/surface/run.ts'
import { answered, isCore, isDone, parsePolicies, parseSurface } from './coverage.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { missing: { type: 'string' }, clients: { type: 'boolean' } },
})
const folder = positionals[0] ?? fileURLToPath(new URL('../../../shared/api', import.meta.url))
if (values.clients) process.exit((await walkClients(commandTable(folder))) ? 0 : 1)
if (!existsSync(join(folder, 'surface.tsv'))) {
  console.error(`${folder} has no surface.tsv: name the folder of the tables, npm run surface -- FOLDER`)
  process.exit(2)
}
const cloud = await outlineCloud()
const rows = parseSurface(readFileSync(join(folder, 'surface.tsv'), 'utf8'))
const policies = parsePolicies(readFileSync(join(folder, 'policies.tsv'), 'utf8'))
const names: Record<ServiceName, string> = {
  identity: 'keystone',
  image: 'glance',
  compute: 'nova',
  placement: 'placement',
  network: 'neutron',
}

console.log(`${'service'.padEnd(18)}${'core rows'.padStart(12)}${'all rows'.padStart(12)}${'policies'.padStart(12)}`)
for (const name of Object.keys(names) as ServiceName[]) {
  const { endpoints, dialect } = cloud.services[name]
  const known = answered(endpoints, dialect.bases)
  const mine = rows.filter((row) => row.service === name)
  const core = mine.filter(isCore)
  const rules = policies.filter((one) => one.service === names[name] && one.operations !== '')
  const used = new Set(endpoints.flatMap((one) => [one.policy, one.visible ?? '']))
  const count = (part: unknown[], whole: unknown[]) => `${part.length}/${whole.length}`.padStart(12)
  const done = (list: typeof mine) => list.filter((row) => isDone(row, known))
  console.log(
    `${name.padEnd(18)}${count(done(core), core)}${count(done(mine), mine)}${count(
      rules.filter((one) => used.has(one.rule)),
      rules,
    )}`,
  )
  if (values.missing === name)
    for (const row of core.filter((one) => !isDone(one, known))) console.log(`  ${row.method} ${row.path}`)
}
await cloud.close()
