import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { memoryBlobs } from '../../../src/drivers/blobs/index.ts'
import { openFetch } from '../../../src/kit/fetch/fetch.ts'
import { type StartedCloud, startCloud } from '../../../src/main/start-cloud.ts'
import { type OpenstackClient, openClient } from '../session.ts'
import { type CommandRow, glanceFor, glanceLeft, keystoneLeft, parseCommands, whyNot } from './commands.ts'
import { type GlanceWorld, glanceSteps } from './glance.ts'
import { identitySteps } from './identity.ts'
import { imageSteps } from './image.ts'
import { longestName, type Record as Outcomes, recorded } from './record.ts'

/** One row of the report: `why` says why it is not offered, `error` what went wrong. */
type Line = { client: string; command: string; why?: string; error?: string; by?: string }

/**
 * Debian's openstack, glance and keystone's Python library do all they can do with identity and images. True when all that is offered was tried and worked.
 * `table`: text of osc-commands.tsv, which says what more the newest openstack can do.
 */
export async function walkClients(table: string | undefined): Promise<boolean> {
  for (const part of ['openstackclient', 'glanceclient', 'keystoneclient'])
    if (!existsSync(`/usr/lib/python3/dist-packages/${part}`)) {
      console.error(
        "this needs Debian's clients: apt-get install python3-openstackclient python3-glanceclient python3-keystoneclient",
      )
      return false
    }
  const folder = mkdtempSync(join(tmpdir(), 'altostack-walk-'))
  const site = await bytesAt(Buffer.alloc(5000, 9))
  const far = (id: string) => ({ id, type: 'mem', blobs: memoryBlobs() }) as const
  const cloud = await startCloud({
    image: {
      stores: [far('second')],
      cache: { node: 'walk', blobs: memoryBlobs(), maxBytes: 1 << 30 },
      fetch: openFetch({ allowedNetworks: ['127.0.0.1'], allowedPorts: 'any' }),
    },
  })
  try {
    const world = { folder, source: site.url }
    const troubles: string[] = []
    const openstack = await walkOpenstack(cloud, world, troubles)
    const glance = await walkGlance(cloud, world, troubles)
    const keystone = await walkKeystone(cloud)
    const lines = [...openstackLines(await wanted(cloud, table), openstack, glance.outcomes), ...glanceLines(glance), ...keystone]
    for (const problem of await cloud.doctor()) troubles.push(`doctor: ${problem}`)
    return tell(lines, troubles)
  } finally {
    await cloud.close()
    await site.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function bytesAt(bytes: Buffer) {
  const server = createServer((_, answer) => answer.end(bytes))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/bytes`, close: () => new Promise((closed) => server.close(closed)) }
}

async function attempt(name: string, run: () => Promise<void>, troubles: string[]): Promise<void> {
  await run().catch((error: Error) => troubles.push(`${name}: ${error.message}`))
}

/** What the installed client lists of itself, and the newest one by the table. */
async function wanted(cloud: StartedCloud, table: string | undefined): Promise<CommandRow[]> {
  const own = (await installed(cloud)).map(([command, group]) => ({ command, group }))
  const more = table === undefined ? [] : parseCommands(table)
  const all = new Map([...own, ...more].map((row) => [`${row.group} ${row.command}`, row]))
  return [...all.values()]
}

async function installed(cloud: StartedCloud): Promise<[command: string, group: string][]> {
  const client = openClient(cloud.env())
  const found: [string, string][] = []
  for (const group of ['identity.v3', 'image.v2']) {
    type Group = { Commands: string[] }
    const listed = await client.json<Group[]>(`command list --group openstack.${group}`)
    for (const { Commands } of listed) for (const command of Commands) found.push([command, group])
  }
  client.close()
  return found
}

type Walked = { folder: string; source: string }

async function walkOpenstack(cloud: StartedCloud, world: Walked, troubles: string[]): Promise<Outcomes> {
  const outcomes: Outcomes = new Map()
  const client = openClient(cloud.env())
  const known = new Set((await installed(cloud)).map(([command]) => command))
  const others: OpenstackClient[] = []
  const watch = (one: OpenstackClient) => recorded(one, longestName(known), outcomes)
  const other = (env: Record<string, string>) => {
    const one = openClient({ ...cloud.env(), ...env })
    others.push(one)
    return watch(one)
  }
  for (const { name, run } of [...identitySteps, ...imageSteps])
    await attempt(`openstack, ${name}`, () => run(watch(client), { folder: world.folder, other }), troubles)
  for (const one of [client, ...others]) one.close()
  return outcomes
}

type Glance = { outcomes: Outcomes; commands: string[] }

async function walkGlance(cloud: StartedCloud, world: Walked, troubles: string[]): Promise<Glance> {
  const outcomes: Outcomes = new Map()
  // It keeps schemas at home.
  const open = (user: 'admin' | 'demo') => openClient({ ...cloud.env(user), HOME: world.folder }, 'glanceclient.shell')
  const [client, demo] = [open('admin'), open('demo')]
  const commands = (await client.run('bash-completion')).split(/\s+/).filter((word) => /^[a-z]/.test(word))
  const watch = (one: OpenstackClient) => recorded(one, longestName(new Set(commands)), outcomes)
  const openstack = openClient(cloud.env())
  const { id } = await openstack.json<{ id: string }>('project show demo')
  openstack.close()
  const whole: GlanceWorld = { ...world, demoProject: id, demo: watch(demo) }
  for (const { name, run } of glanceSteps) await attempt(`glance, ${name}`, () => run(watch(client), whole), troubles)
  client.close()
  demo.close()
  return { outcomes, commands: [...new Set(commands)] }
}

async function walkKeystone(cloud: StartedCloud): Promise<Line[]> {
  const script = fileURLToPath(new URL('./keystone.py', import.meta.url))
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', PYTHONWARNINGS: 'ignore', ...cloud.env() }
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [script], { env, maxBuffer: 1 << 24 })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { method, error } = JSON.parse(line) as { method: string; error: string | null }
      const why = keystoneLeft(method, error)
      return { client: 'keystoneclient', command: method, ...(why ? { why } : error === null ? {} : { error }) }
    })
}

function outcome(command: string, outcomes: Outcomes): { error?: string } {
  if (!outcomes.has(command)) return { error: 'not tried' }
  const error = outcomes.get(command)
  return error === undefined ? {} : { error }
}

function openstackLines(rows: CommandRow[], openstack: Outcomes, glance: Outcomes): Line[] {
  return rows.map((row) => {
    const line = { client: 'openstack', command: row.command }
    const why = whyNot(row)
    if (why !== undefined) return { ...line, why }
    const other = openstack.has(row.command) ? undefined : glanceFor(row.command)
    return other === undefined
      ? { ...line, ...outcome(row.command, openstack) }
      : { ...line, by: `glance ${other}`, ...outcome(other, glance) }
  })
}

const glanceLines = ({ outcomes, commands }: Glance): Line[] =>
  commands.map((command) => {
    const why = glanceLeft[command]
    return { client: 'glance', command, ...(why === undefined ? outcome(command, outcomes) : { why }) }
  })

function tell(lines: Line[], troubles: string[]): boolean {
  for (const { client, command, why, error, by } of lines) {
    const end = why !== undefined ? `not offered (${why})` : error !== undefined ? `FAILED ${error.split('\n')[0]}` : 'ok'
    console.log(`${client.padEnd(15)} ${command.padEnd(52)} ${end}${by ? ` (by ${by})` : ''}`)
  }
  for (const trouble of troubles) console.log(`FAILED ${trouble}`)
  for (const client of new Set(lines.map((line) => line.client))) {
    const mine = lines.filter((line) => line.client === client)
    const left = mine.filter((line) => line.why !== undefined).length
    const bad = mine.filter((line) => line.error !== undefined).length
    console.log(`${client}: ${mine.length - left - bad} worked, ${bad} did not, ${left} not offered, of ${mine.length}`)
  }
  return troubles.length === 0 && lines.every((line) => line.error === undefined)
}

/** The table of commands in a folder of tables, if it is there. */
export const commandTable = (folder: string): string | undefined => {
  try {
    return readFileSync(join(folder, 'osc-commands.tsv'), 'utf8')
  } catch {
    return undefined
  }
}
