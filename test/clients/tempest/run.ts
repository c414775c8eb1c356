/**
 * Tempest (Debian's package) against a simulated cloud with everything switched on. Arguments: folders of `tempest/api` (default: identity image),
 * `--workers N`, `--match TEXT` (classes whose name has it), `--keep` (the folder with tempest's log stays). Fails when a test fails, or is skipped without a
 * reason of ours.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startTestedCloud } from './cloud.ts'
import { tempestConf } from './conf.ts'
import { knownAs, leftOut } from './known.ts'
import { verdict } from './verdict.ts'
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
try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  if (values.keep) console.log(`kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}

async function run(): Promise<boolean> {
  const began = performance.now()
  const cloud = await startTestedCloud(folder)
  try {
    writeFileSync(join(folder, 'tempest.conf'), tempestConf(cloud.facts))
    const { lines, isGood } = verdict(await outcomes())
    const problems = await cloud.doctor()
    for (const line of [...lines, ...problems.map((problem) => `doctor: ${problem}`)]) console.log(line)
    console.log(`in ${Math.round((performance.now() - began) / 1000)} s`)
    return isGood && problems.length === 0
  } finally {
    await cloud.close()
  }
}

async function outcomes(): Promise<Outcome[]> {
  const all = (await listClasses(folder, wanted)).filter((name) => name.includes(values.match))
  const heard: Outcome[] = []
  const tested = all.filter((name) => {
    const known = knownAs(leftOut, name)
    if (known) console.log(`left out  ${name}: ${known.why}`)
    return !known
  })
  await runClasses(folder, tested, Number(values.workers), (one) => {
    heard.push(one)
    if (one.outcome === 'failed') console.log(`FAILED  ${one.test}\n${one.why}`)
  })
  return heard
}
