/**
 * How much of OpenStack's published surface is there: `npm run surface [-- FOLDER] [--missing SERVICE]`. FOLDER holds surface.tsv and policies.tsv;
 * default: `../shared/api` beside this checkout. What identity and image leave out is named with its reason; ends with 1 when something is missing there without
 * one, or a default rule is not the published one. With `--clients` Debian's clients walk through identity and image instead (root is not needed), which
 * needs no table; with FOLDER's osc-commands.tsv it also says what of newer clients was tried. With `--asked` the tests of identity and image run, and rules that
 * an endpoint says it asks and no test made it ask are named.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { outlineCloud } from '../../src/main/outline.ts'
import { kinds, type ServiceName } from '../../src/main/services.ts'
import { commandTable, walkClients } from '../clients/surface/run.ts'
import { neverAsked } from './asked.ts'
import { answered, askedRules, isCore, isDone, parsePolicies, parseSurface, pathLeft, ruleLeft } from './coverage.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { missing: { type: 'string' }, clients: { type: 'boolean' }, asked: { type: 'boolean' } },
})
const folder = positionals[0] ?? fileURLToPath(new URL('../../../shared/api', import.meta.url))
if (values.clients) process.exit((await walkClients(commandTable(folder))) ? 0 : 1)
if (values.asked) process.exit((await neverAsked(['identity', 'image'])) ? 0 : 1)
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
/** Services that are whole: what they lack must have a reason. */
const whole: ServiceName[] = ['identity', 'image']
const remarks: string[] = []
let failed = 0

/** How many of those wanted are there; what is left out is told of whole services. */
function share<T>(
  name: ServiceName,
  all: T[],
  isThere: (one: T) => boolean,
  why: (one: T) => string | undefined,
  title: (one: T) => string,
) {
  const absent = all.filter((one) => !isThere(one))
  const left = whole.includes(name) ? absent.filter((one) => why(one) !== undefined) : []
  const missing = absent.filter((one) => !left.includes(one))
  if (whole.includes(name)) failed += missing.length
  for (const [reason, some] of Map.groupBy(left, why))
    remarks.push(`${name}: ${some.length} left out (${reason}): ${some.map(title).join(', ')}`)
  if (values.missing === name || whole.includes(name)) for (const one of missing) remarks.push(`${name}: ${title(one)}: missing`)
  const wanted = all.length - left.length
  return `${wanted - missing.length}/${wanted}${left.length > 0 ? ` (+${left.length} left out)` : ''}`.padStart(26)
}

console.log(`${'service'.padEnd(12)}${['core rows', 'all rows', 'policies'].map((title) => title.padStart(26)).join('')}`)
for (const name of Object.keys(names) as ServiceName[]) {
  const { endpoints, dialect } = cloud.services[name]
  const known = answered(endpoints, dialect.bases)
  const mine = rows.filter((row) => row.service === name)
  const done = (row: (typeof mine)[number]) => isDone(row, known)
  const rules = policies.filter((one) => one.service === names[name] && one.operations !== '')
  const asked = askedRules(endpoints)
  const core = share(
    name,
    mine.filter(isCore),
    done,
    ({ path }) => pathLeft(path),
    ({ method, path }) => `${method} ${path}`,
  )
  const policy = share(
    name,
    rules,
    ({ rule }) => asked.has(rule),
    ruleLeft,
    ({ rule }) => rule,
  )
  console.log(`${name.padEnd(12)}${core}${`${mine.filter(done).length}/${mine.length}`.padStart(26)}${policy}`)
  const defaults = new Map(kinds.find((kind) => kind.name === name)?.policies.map((rule) => [rule.name, rule.check]))
  const other = policies.filter(({ service, rule, check }) => service === names[name] && (defaults.get(rule) ?? check) !== check)
  for (const { rule } of other) remarks.push(`${name}: ${rule}: not the published default`)
  if (whole.includes(name)) failed += other.length
}
for (const remark of remarks) console.log(remark)
await cloud.close()
process.exit(failed === 0 ? 0 : 1)
