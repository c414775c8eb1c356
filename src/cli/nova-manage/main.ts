import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { withPlainDashes } from '../dashes.ts'
import { elsewhere } from './elsewhere.ts'
import {
  type Census,
  cellHosts,
  cellOf,
  cellTable,
  flavorLines,
  guestTable,
  hostTable,
  resourceTable,
  type ServiceRow,
  serviceTable,
  withOldServices,
} from './lists.ts'

type Print = (line: string) => void
/** Asks the controller on this machine. Throws when it cannot be reached, or the user may not. */
export type AskController = (name: string, question?: unknown) => Promise<unknown>

type Given = { words: string[]; options: Map<string, string> }
type Asked = Given & { ask: AskController; print: Print; complain: Print; here: string }
type Action = {
  usage: string
  options?: readonly string[]
  flags?: readonly string[]
  most?: number
  run(asked: Asked): Promise<number>
}

/** As the controllers call themselves in lists of services: any of them does the work. */
const controller = 'controller'

const services = async ({ ask, here }: Asked) => withOldServices((await ask('services')) as ServiceRow[], controller, here)
const census = async ({ ask }: Asked) => (await ask('census')) as Census

function shown(asked: Asked, lines: readonly string[]): number {
  for (const line of lines) asked.print(line)
  return 0
}

async function setService(asked: Asked, enabled: boolean): Promise<number> {
  const [host, binary] = [asked.options.get('--host') ?? asked.words[0], asked.options.get('--service') ?? asked.words[1]]
  if (host === undefined || binary === undefined) {
    asked.complain('error: --host and --service are needed')
    return 2
  }
  const known = (await services(asked)).find((row) => row.host === host && row.binary === binary)
  if (await asked.ask('enableService', { host, binary, enabled })) {
    asked.print(`Service ${binary} on host ${host} ${enabled ? 'enabled' : 'disabled'}.`)
    return 0
  }
  asked.complain(
    known
      ? `error: ${binary} is part of every controller: only nova-compute can be enabled and disabled.`
      : `error: Could not find service ${binary} on host ${host}.`,
  )
  return 2
}

async function discover(asked: Asked): Promise<number> {
  const { hosts } = await census(asked)
  if (asked.options.has('--verbose'))
    shown(
      asked,
      hosts.map(({ name }) => `Host ${name} is in cell cell1.`),
    )
  asked.print(`Hosts are known as soon as they report: ${hosts.length} of them, none to be mapped.`)
  // The original ends so when nothing new was found.
  return asked.options.has('--strict') ? 1 : 0
}

async function verifyInstance(asked: Asked): Promise<number> {
  const id = asked.options.get('--uuid') ?? asked.words[0]
  const found = (await census(asked)).guests.some((guest) => guest.id === id)
  if (!asked.options.has('--quiet'))
    asked.print(found ? cellOf(id!) : `Instance ${id} is not mapped to a cell: there is none of this id.`)
  return found ? 0 : 1
}

const version = () => {
  const { version: own } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return own
}

const actions: Record<string, Action> = {
  'service list': {
    usage: 'service list [--host HOST] [--service BINARY]',
    options: ['--host', '--service'],
    async run(asked) {
      const [host, binary] = [asked.options.get('--host'), asked.options.get('--service')]
      const wanted = host === controller ? asked.here : host
      const rows = await services(asked)
      const kept = rows.filter(
        (row) => (wanted === undefined || row.host === wanted) && (binary === undefined || row.binary === binary),
      )
      return shown(asked, serviceTable(kept))
    },
  },
  'service enable': {
    usage: 'service enable --host HOST --service BINARY',
    options: ['--host', '--service'],
    most: 2,
    run: (asked) => setService(asked, true),
  },
  'service disable': {
    usage: 'service disable --host HOST --service BINARY',
    options: ['--host', '--service'],
    most: 2,
    run: (asked) => setService(asked, false),
  },
  'service describe_resource': {
    usage: 'service describe_resource HOST',
    options: ['--host'],
    most: 1,
    async run(asked) {
      const host = asked.options.get('--host') ?? asked.words[0]
      const lines = host === undefined ? undefined : resourceTable(await census(asked), host)
      if (lines) return shown(asked, lines)
      asked.complain(host === undefined ? 'error: which host?' : `error: Compute host ${host} could not be found.`)
      return 2
    },
  },
  'host list': {
    usage: 'host list [--zone ZONE]',
    options: ['--zone'],
    most: 1,
    run: async (asked) => shown(asked, hostTable(await services(asked), asked.options.get('--zone') ?? asked.words[0])),
  },
  'vm list': {
    usage: 'vm list [--host HOST]',
    options: ['--host'],
    most: 1,
    async run(asked) {
      const host = asked.options.get('--host') ?? asked.words[0]
      const { guests } = await census(asked)
      return shown(asked, guestTable(guests.filter((guest) => host === undefined || guest.host === host)))
    },
  },
  'flavor list': {
    usage: 'flavor list [--name NAME]',
    options: ['--name'],
    most: 1,
    async run(asked) {
      const name = asked.options.get('--name') ?? asked.words[0]
      const { flavors } = await census(asked)
      return shown(asked, flavorLines(flavors.filter((flavor) => name === undefined || flavor.name === name)))
    },
  },
  'cell_v2 discover_hosts': {
    usage: 'cell_v2 discover_hosts [--cell_uuid UUID] [--verbose] [--strict] [--by-service]',
    options: ['--cell_uuid'],
    flags: ['--verbose', '--strict', '--by-service'],
    run: discover,
  },
  'cell_v2 list_cells': {
    usage: 'cell_v2 list_cells [--verbose]',
    flags: ['--verbose'],
    run: async (asked) => shown(asked, cellTable()),
  },
  'cell_v2 list_hosts': {
    usage: 'cell_v2 list_hosts [--cell_uuid UUID]',
    options: ['--cell_uuid'],
    run: async (asked) => shown(asked, cellHosts((await census(asked)).hosts)),
  },
  'cell_v2 verify_instance': {
    usage: 'cell_v2 verify_instance --uuid UUID [--quiet]',
    options: ['--uuid'],
    flags: ['--quiet'],
    most: 1,
    run: verifyInstance,
  },
  'version list': { usage: 'version', run: async (asked) => shown(asked, [version()]) },
}

const usage = [
  'usage: nova-manage CATEGORY ACTION ...',
  ...Object.values(actions).map((action) => `       nova-manage ${action.usage}`),
  'Other commands of nova-manage answer with what to use here instead.',
].join('\n')

const categories = [
  ...new Set([...Object.keys(actions), ...Object.keys(elsewhere)].map((name) => name.split(' ')[0]!)),
].toSorted()

/** Gives the exit code: 0, 1 when the cloud could not be asked, 2 for a command that is not understood or not to be had here. */
export async function novaManage(
  argv: readonly string[],
  print: Print = console.log,
  complain: Print = console.error,
  ask: AskController = askController,
  here: string = hostname(),
): Promise<number> {
  const { words, warnings } = withPlainDashes(argv)
  for (const warning of warnings) complain(warning)
  const [category = '', name = '', ...rest] = words[0] === '--version' ? ['version'] : words
  if (category === 'bash-completion') return said(print, name === '' ? categories : actionsOf(name))
  if (['help', '-h', '--help'].includes(category)) return said(print, [usage])
  const action = actions[category === 'version' ? 'version list' : `${category} ${name}`]
  if (!action) return notHere(category, name, print, complain)
  try {
    const given = read(rest, action)
    return typeof given === 'string'
      ? said(complain, [`error: ${given}`, `usage: nova-manage ${action.usage}`], 2)
      : await action.run({ ...given, ask, print, complain, here })
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    return 1
  }
}

function said(print: Print, lines: readonly string[], code = 0): number {
  for (const line of lines) print(line)
  return code
}

const actionsOf = (category: string) =>
  [...Object.keys(actions), ...Object.keys(elsewhere)]
    .filter((one) => one.startsWith(`${category} `))
    .map((one) => one.slice(category.length + 1))

function notHere(category: string, name: string, print: Print, complain: Print): number {
  const found = elsewhere[`${category} ${name}`] ?? elsewhere[category]
  if (!found)
    return said(complain, [...(category === '' ? [] : [`error: there is no command ${category} ${name}`.trimEnd()]), usage], 2)
  if (found.done) return said(print, [found.says])
  return said(complain, [found.says], 2)
}

/** A sentence when the words are not understood. */
function read(words: readonly string[], { options = [], flags = [], most = 0 }: Action): Given | string {
  const given: Given = { words: [], options: new Map() }
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [name, inline] =
      word.startsWith('--') && word.includes('=')
        ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]
        : [word, undefined]
    if (flags.includes(name)) given.options.set(name, '')
    else if (options.includes(name)) {
      const value = inline ?? words[++at]
      if (value === undefined) return `${name} needs a value`
      given.options.set(name, value)
    } else if (word.startsWith('-')) return `${word} is not understood`
    else given.words.push(word)
  }
  return given.words.length > most ? `too many words: ${given.words.slice(most).join(' ')}` : given
}

/** What the link is made of is loaded only when it is needed: most of the time to start. */
const askController: AskController = async (name, question) => {
  const { operatorLink } = await import('../operator-link.ts')
  const link = await operatorLink()
  try {
    return await link.call(name, question)
  } finally {
    link.close()
  }
}
