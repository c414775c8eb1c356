/**
 * Guests that go from host to host, on real QEMU under software emulation: a line for each proof. Two hosts with an agent each, in network
 * namespaces of their own beside the one this process is in. As root; everything goes at the end.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildImage } from '../../../images/build.ts'
import { explainError } from '../../../src/kit/errors.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { proofs } from './proofs.ts'
import { openScene, type Prove } from './scene.ts'

const exec = openExec(silentLog)
const { values } = parseArgs({
  options: { inside: { type: 'boolean' }, cache: { type: 'string' }, only: { type: 'string', default: '' } },
})

let failures = 0
const prove: Prove = async (what, proof) => {
  if (!what.includes(values.only)) return
  const started = performance.now()
  try {
    const said = await proof()
    console.log(`ok   ${what}${typeof said === 'string' ? `: ${said}` : ''} (${Math.round(performance.now() - started)} ms)`)
  } catch (error) {
    failures++
    console.log(`FAIL ${what}: ${explainError(error)}`)
  }
}

/** Runs this file again in a namespace whose devices nobody else sees. */
async function outside(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('run this as root')
  const name = `migration-${process.pid}`
  const cache = values.cache ?? (await mkdtemp(join(tmpdir(), 'altostack-packages-')))
  // Inside there is no way to where packages come from.
  await buildImage({ exec, log: silentLog, outFile: join(cache, 'outside.qcow2'), cacheDir: cache })
  await exec.run(['ip', 'netns', 'add', name])
  try {
    const args = ['--cache', cache, '--inside', '--only', values.only]
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, fileURLToPath(import.meta.url), ...args], {
      stdio: 'inherit',
    })
    const code = await new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
    // Those of a child that did not come to its end.
    for (const host of ['one', 'two']) await exec.attempt(['ip', 'netns', 'del', `${host}-${child.pid}`])
    return code
  } finally {
    await exec.run(['ip', 'netns', 'del', name])
    if (!values.cache) await rm(cache, { recursive: true, force: true })
  }
}

/** What an agent said, and what its guest said last. */
async function show(dir: string, name: string): Promise<void> {
  console.log(await readFile(join(dir, `${name}.log`), 'utf8'))
  for (const id of await readdir(join(dir, name, 'guests')).catch(() => [])) {
    for (const file of ['console.log', 'qemu.log']) {
      const text = await readFile(join(dir, name, 'guests', id, file), 'utf8').catch(() => '')
      console.log(`${name} ${id} ${file}: ${text.slice(-3000)}`)
    }
  }
}

async function inside(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'mv-'))
  const scene = await openScene(exec, dir, values.cache ?? dir)
  try {
    await proofs(scene, prove)
  } finally {
    if (failures > 0) for (const { name } of scene.hosts) await show(dir, name)
    await scene.close()
    await rm(dir, { recursive: true, force: true })
  }
  console.log(failures === 0 ? 'all proven' : `${failures} failed`)
  return failures === 0 ? 0 : 1
}

process.exit(values.inside ? await inside() : await outside())
