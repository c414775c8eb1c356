import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AgentKind, Question } from '../../src/agents/document.ts'
import { makeCertificate } from '../../src/deploy/certificate.ts'
import { memorySettings } from '../../src/deploy/supervision/services.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { openExec } from '../../src/kit/exec/exec.ts'
import { openLinkClient } from '../../src/kit/link/client.ts'
import { silentLog } from '../../src/kit/log.ts'
import { agentLink } from '../../src/main/agent-link.ts'
import { simulatedHost } from '../../src/main/simulated-host.ts'

const names = ['identity', 'image', 'compute', 'placement', 'network', 'link'] as const
export type Ports = Record<(typeof names)[number], number>

export type LoadedController = {
  pid: number
  ports: Ports
  url(service: keyof Ports): string
  /** From the start of the process to the last service's first answer. */
  readyMs: number
  pssMb(): number
  /** What of memory it uses now, shared or not. */
  rssMb(): number
  /** Seconds of processor time since its start. */
  cpuSeconds(): number
  /** A host in this process, connected by the link as a real one is; where the link is encrypted, with a key of its own. */
  addHost(name: string): Promise<void>
  /** How many calls its hosts made so far, by name. */
  calls(): Record<string, number>
  close(): Promise<void>
}

export const password = 'load-test'

export type Options = {
  /** Default `api,work`. */
  roles?: string
  /** Default: a file of its own. */
  database?: string
  /** An encrypted link, as for hosts of their own. */
  tls?: boolean
}

/** A controller process as `packstack` starts it, over a database file of its own. */
export async function startController({ database, tls = false, roles = 'api,work' }: Options = {}): Promise<LoadedController> {
  const folder = mkdtempSync(join(tmpdir(), 'altostack-load-'))
  const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()]))) as Ports
  const linkUrl = `${tls ? 'https' : 'http'}://127.0.0.1:${ports.link}`
  const encryption = tls ? await makeCertificate(openExec(silentLog)) : undefined
  const certificate = encryption && { certificate: encryption.linkCertificate }
  const config = {
    region: 'RegionOne',
    host: '127.0.0.1',
    bind: '127.0.0.1',
    stateDir: folder,
    database: database ?? join(folder, 'altostack.db'),
    ports,
    network: { tenantTypes: ['vxlan'], flat: ['*'], vlanRanges: [], vniRanges: [[1, 65_535]], tunnelIdRanges: [[1, 65_535]] },
    agent: {
      controller: linkUrl,
      name: 'none',
      stateDir: folder,
      tunnelIp: '192.0.2.1',
      bridgeMappings: {},
      virt: 'qemu',
    },
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify({ adminPassword: password, linkKey: 'load', ...encryption }))
  const began = performance.now()
  const daemon = fileURLToPath(new URL('../../bin/altostackd.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [daemon, '--config', join(folder, 'config.json'), '--secrets', join(folder, 'secrets.json'), '--roles', roles],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...memorySettings },
    },
  )
  const readyMs = await ready(child, began)
  const closers: (() => Promise<void>)[] = []
  const open = (host: string, key: string) => openLinkClient({ url: linkUrl, key, host, log: silentLog, ...certificate })
  const operator = open('', 'load')
  const keyOf = async (host: string): Promise<string> => {
    if (!tls) return 'load'
    const { token } = (await operator.call('invite', { host })) as { token: string }
    const joining = open(host, '')
    const { key } = (await joining.join('host', { token })) as { key: string }
    joining.close()
    return key
  }
  const calls: Record<string, number> = {}
  return {
    pid: child.pid ?? 0,
    ports,
    url: (service) => `http://127.0.0.1:${ports[service]}`,
    readyMs,
    pssMb: () => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024,
    rssMb: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    cpuSeconds() {
      const [, , , ...fields] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\)/, '0 0').split(' ')
      return (Number(fields[10]) + Number(fields[11])) / 100
    },
    calls: () => ({ ...calls }),
    async addHost(name) {
      const client = open(name, await keyOf(name))
      const link = agentLink({
        ...client,
        call(what, ask) {
          calls[what] = (calls[what] ?? 0) + 1
          return client.call(what, ask)
        },
      })
      const host = simulatedHost({
        name,
        link,
        clock: systemClock(),
        log: silentLog,
        facts: { memoryMb: 10_000_000, cpus: 4000, diskGb: 1_000_000 },
      })
      await new Promise<void>((connected) =>
        client.listen({
          hint: (kind) => host.rounds[kind as AgentKind]?.hint(),
          ask: (question) => host.ask(question as Question),
          connected,
        }),
      )
      await link.facts(await host.facts())
      const beat = setInterval(
        () =>
          void host
            .facts()
            .then(link.facts)
            .catch(() => {}),
        20_000,
      )
      closers.push(async () => {
        clearInterval(beat)
        client.close()
        await host.close()
      })
    },
    async close() {
      for (const run of closers) await run()
      operator.close()
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('close', resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const ready = (child: ChildProcess, began: number): Promise<number> =>
  new Promise((resolve, reject) => {
    let said = ''
    createInterface({ input: child.stderr! }).on('line', (line) => {
      said += `${line}\n`
      if (line.includes('the control plane is ready')) resolve(performance.now() - began)
    })
    child.once('close', (code) => {
      if (code !== 0) console.error(`the controller ended with ${code}: ${said.slice(-4000)}`)
      reject(new Error(`the controller ended with ${code}`))
    })
  })

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
