import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readImports } from './cruise.ts'
import { rules } from './rules.ts'

/** Imports that must be caught, each by the rule it is filed under. */
const bad: Record<string, Record<string, string>> = {
  'no-cycle': { 'src/kit/a.ts': "import './b.ts'", 'src/kit/b.ts': "import './a.ts'" },
  'kit-knows-nobody': { 'src/kit/c.ts': "import '../services/x/index.ts'" },
  'drivers-know-the-kit': { 'src/drivers/d/d.ts': "import '../../agents/vm/index.ts'" },
  'drivers-are-strangers': { 'src/drivers/e/e.ts': "import '../d/d.ts'" },
  'agents-know-no-service': { 'src/agents/vm/index.ts': "import type { X } from '../../services/x/contract.ts'" },
  'services-know-no-main': { 'src/services/x/index.ts': "import '../../main/m.ts'" },
  'services-see-documents': { 'src/services/x/hosts.ts': "import '../../agents/vm/index.ts'" },
  'services-meet-at-contracts': { 'src/services/y/index.ts': "import { x } from '../x/domain/rules.ts'" },
  'domain-knows-no-wire': { 'src/services/x/domain/rules.ts': "import type { E } from '../../../kit/http/endpoint.ts'" },
  'clients-use-the-api': { 'src/cli/c.ts': "import '../services/x/contract.ts'" },
  'deploy-uses-the-api': { 'src/deploy/d.ts': "import '../main/m.ts'" },
  'door-http': { 'src/services/x/api/a.ts': "import fastify from 'fastify'" },
  'door-database': { 'src/services/x/api/b.ts': "import { DatabaseSync } from 'node:sqlite'" },
  'door-log': { 'src/main/m.ts': "import pino from 'pino'" },
  'door-websocket': { 'src/main/w.ts': "import { WebSocket } from 'ws'" },
  'door-ssh': { 'src/deploy/s.ts': "import { Client } from 'ssh2'" },
  'door-ldap': { 'src/services/x/domain/l.ts': "import { Client } from 'ldapts'" },
  'door-passwords': { 'src/services/x/api/c.ts': "import { hash } from '@node-rs/argon2'" },
  'door-programs': { 'src/agents/vm/run.ts': "import { spawn } from 'node:child_process'" },
}

const harmless: Record<string, string> = {
  'src/services/x/contract.ts': 'export type X = 1',
  'src/kit/http/endpoint.ts': 'export type E = 1',
}

/** Names of the rules that did not catch the import planted against them, or have none. Without this, a reader that reads nothing would pass. */
export async function uncaught(): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'altostack-imports-'))
  try {
    const files = Object.assign({}, harmless, ...Object.values(bad)) as Record<string, string>
    for (const [path, text] of Object.entries(files)) write(join(root, path), `${text}\nexport const here = 1\n`)
    const { violations } = await readImports(root, ['src'])
    const unplanted = rules.map(({ name }) => String(name)).filter((name) => !(name in bad))
    const missed = Object.entries(bad)
      .filter(
        ([rule, planted]) => !violations.some((line) => Object.keys(planted).some((path) => line.startsWith(`${rule}: ${path}`))),
      )
      .map(([rule]) => rule)
    return [...unplanted, ...missed]
  } finally {
    rmSync(root, { recursive: true })
  }
}

const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
