/**
 * Tempest (Debian's package) against a simulated cloud with everything switched on. Arguments: folders of `tempest/api` (default: identity image),
 * `--workers N`, `--match TEXT` (classes whose name has it), `--keep` (the folder with the log stays). Fails when a test fails, or is skipped without a reason of ours.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startTestedCloud } from './cloud.ts'
import { tempestConf } from './conf.ts'
import { knownAs, leftOut, maySkip } from './known.ts'
import { listClasses, type Outcome, runClasses } from './workers.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '3' },
    match: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
})
const wanted = positionals.length > 0 ? positionals : ['identity', 'image']
const folder = mkdtempSync(join(tmpdir(), 'altostack-tempest-'))
const cloud = await startTestedCloud(folder)
writeFileSync(join(folder, 'tempest.conf'), tempestConf(cloud.facts))

const all = (await listClasses(folder, wanted)).filter((name) => name.includes(values.match))
const outcomes: Outcome[] = []
const began = performance.now()
await runClasses(
  folder,
  all.filter((name) => !knownAs(leftOut, name)),
  Number(values.workers),
  (one) => {
    outcomes.push(one)
    if (one.outcome === 'failed') console.log(`FAILED  ${one.test}\n${one.why}`)
  },
)

const of = (outcome: Outcome['outcome']) => outcomes.filter((one) => one.outcome === outcome)
for (const name of all) {
  const known = knownAs(leftOut, name)
  if (known) console.log(`left out  ${name}: ${known.why}`)
}
const unexpected = of('skipped').filter(({ test, why }) => {
  const known = knownAs(maySkip, test.replace(/^setUpClass \((.*)\)$/, '$1'))
  console.log(`${known ? 'skipped' : 'SKIPPED'}  ${test}: ${known?.why ?? why}`)
  return !known
})
const problems = await cloud.doctor()
for (const problem of problems) console.log(`doctor: ${problem}`)
await cloud.close()
if (values.keep) console.log(`kept: ${folder}`)
else rmSync(folder, { recursive: true, force: true })

const failed = of('failed')
for (const { test } of failed) console.log(`failed  ${test}`)
const seconds = Math.round((performance.now() - began) / 1000)
console.log(`${of('passed').length} passed, ${failed.length} failed, ${of('skipped').length} skipped in ${seconds} s`)
process.exit(failed.length + unexpected.length + problems.length === 0 && of('passed').length > 0 ? 0 : 1)
