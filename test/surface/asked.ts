import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outlineCloud } from '../../src/main/outline.ts'
import type { ServiceName } from '../../src/main/services.ts'

/** Runs the services' tests and names the declared rules (`alsoAsks`) that no test made an endpoint ask. True when there is none and the tests pass. */
export async function neverAsked(services: ServiceName[]): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-asked-'))
  const file = join(folder, 'asked')
  writeFileSync(file, '')
  const tests = spawn(
    process.execPath,
    [fileURLToPath(new URL('../run.ts', import.meta.url)), ...services.map((name) => `services/${name}`)],
    { env: { ...process.env, ALTOSTACK_TEST_ASKED: file }, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const code = await new Promise<number | null>((ended) => tests.once('close', ended))
  const asked = new Set(readFileSync(file, 'utf8').split('\n'))
  rmSync(folder, { recursive: true })
  const cloud = await outlineCloud()
  const declared = services.flatMap((name) =>
    cloud.services[name].endpoints.flatMap(({ method, path, alsoAsks }) =>
      alsoAsks.map((rule) => `${name} ${method} ${path} ${rule}`),
    ),
  )
  await cloud.close()
  const never = declared.filter((line) => !asked.has(line))
  console.log(`${declared.length - never.length}/${declared.length} of the rules that handlers ask were asked by a test`)
  for (const line of never) console.log(`never asked: ${line}`)
  if (code !== 0) console.log('the tests failed')
  return never.length === 0 && code === 0
}
