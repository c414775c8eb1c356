import { withPlainDashes } from '../dashes.ts'
import { openSession, type Query, type Session } from '../session.ts'
import { isOption, Misused, readArguments, usageOf } from './arguments.ts'
import type { Cloud, Command } from './command.ts'
import { commands, elsewhere } from './commands.ts'
import { globalFlags, readCredentials } from './credentials.ts'
import { readExtra } from './extra.ts'
import { emptyTenant, hintsFor } from './hints.ts'
import { shapeOf } from './output-options.ts'

export type Io = { out(text: string): void; err(text: string): void; env: NodeJS.ProcessEnv }

/** Of the client whose output this follows. */
const version = '8.1.0'

/** `neutron COMMAND ...` gives the exit code: 0, 1 when the cloud or the client refuses, 2 when the command is not understood. */
export async function neutron(argv: readonly string[], io: Io): Promise<number> {
  const { words: given, warnings } = withPlainDashes(argv)
  for (const warning of warnings) io.err(`${warning}\n`)
  let read: Globals
  try {
    read = readGlobals(given)
  } catch (error) {
    io.err(`usage: neutron [options] COMMAND ...\nneutron: error: ${(error as Error).message}\n`)
    return 2
  }
  const [name = '', ...words] = read.words
  if (read.flags.has('--version')) return said(io, `${version}\n`)
  const all = commands()
  if (name === 'bash-completion') return said(io, `${completion(all)}\n`)
  if (name === '' || name === 'help' || read.flags.has('--help')) return help(name === 'help' ? words[0] : name, all, io)
  const command = all[name]
  return command ? runCommand(name, command, words, read, io) : unknown(name, all, io)
}

const said = (io: Io, text: string) => {
  io.out(text)
  return 0
}

async function runCommand(name: string, command: Command, words: string[], globals: Globals, io: Io): Promise<number> {
  const cloud = openCloud(globals, io.env)
  try {
    const { values, extra } = readArguments(words, command.syntax)
    if (!command.isOpen && extra.length > 0) throw new Misused(`unrecognized arguments: ${extra.join(' ')}`)
    if (values['tenant_id'] === '') throw new Misused('argument --tenant-id: expected one argument')
    const ask = { values: withLateRange(name, values, extra), extra: {}, shape: shapeOf(values, io.env), cloud, say: io.out }
    await command.run({ ...ask, extra: readExtra(extra), warn: (text) => io.err(`${text}\n`) })
    return 0
  } catch (error) {
    if (error instanceof Misused) return misused(name, command, words, error, io)
    io.err(`${error instanceof Error ? error.message : String(error)}\n`)
    for (const hint of await hintsFor(name, words, error, cloud)) io.err(`Hint: ${hint}\n`)
    return 1
  }
}

/** The range of a subnet may stand apart from its network; then it was not taken for it. */
function withLateRange(name: string, values: Record<string, unknown>, extra: string[]): Record<string, unknown> {
  if (name !== 'subnet-create' || values['cidr'] !== undefined) return values
  const at = extra.findIndex((word) => /^[\da-f.:]+\/\d{1,3}$/i.test(word))
  return at < 0 ? values : { ...values, cidr: extra.splice(at, 1)[0] }
}

function misused(name: string, command: Command, words: readonly string[], error: Misused, io: Io): number {
  io.err(`${usageOf(`neutron ${name}`, command.syntax)}\nneutron ${name}: error: ${error.message}\n`)
  io.err(`Try 'neutron help ${name}' for more information.\n`)
  const hint = emptyTenant(words)
  if (hint !== undefined) io.err(`Hint: ${hint}\n`)
  return 2
}

/** Logs in when it is first asked. */
function openCloud({ options, flags }: Globals, env: NodeJS.ProcessEnv): Cloud {
  let opened: Promise<Session> | undefined
  const session = () =>
    (opened ??= (async () =>
      openSession(readCredentials(options, flags.has('--insecure') || Boolean(env['NEUTRONCLIENT_INSECURE']), env)))())
  return {
    session,
    async call<T>(method: string, path: string, ask?: { query?: Query; body?: unknown }) {
      return (await session()).request<T>('network', method, `/v2.0${path}`, ask)
    },
  }
}

const switches = new Map([
  ['-h', '--help'],
  ['--help', '--help'],
  ['--version', '--version'],
  ['-v', '--verbose'],
  ['--verbose', '--verbose'],
  ['--debug', '--verbose'],
  ['-q', '--quiet'],
  ['--quiet', '--quiet'],
  ['--insecure', '--insecure'],
])

type Globals = { words: string[]; flags: Set<string>; options: Map<string, string> }

/** Global options may stand anywhere, with dashes or underscores. */
function readGlobals(argv: readonly string[]): Globals {
  const [words, flags, options]: [string[], Set<string>, Map<string, string>] = [[], new Set(), new Map()]
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    const [start, inline] = word.includes('=')
      ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]
      : [word, undefined]
    const flag = start.startsWith('--os_') ? start.replaceAll('_', '-') : start === '-r' ? '--retries' : start
    const found = switches.get(word)
    if (found !== undefined) flags.add(found)
    else if (!globalFlags.includes(flag)) words.push(word)
    else {
      const value = inline ?? argv[++at]
      if (value === undefined || (inline === undefined && isOption(value)))
        throw new Misused(`argument ${flag}: expected one argument`)
      options.set(flag, value)
    }
  }
  return { words, flags, options }
}

function help(name: string | undefined, all: Record<string, Command>, io: Io): number {
  if (name !== undefined && name !== '') return helpOf(name, all, io)
  const width = Math.max(...Object.keys(all).map((one) => one.length))
  io.out('usage: neutron [--os-username NAME] [--os-password PASSWORD] [--os-tenant-name NAME]\n')
  io.out('               [--os-auth-url URL] [--os-region-name NAME] [--version] [-h] COMMAND ...\n\n')
  io.out(
    'Command-line interface to the Neutron APIs. The user is told by options or OS_ variables (source keystonerc_admin).\n\n',
  )
  io.out('Commands for API v2.0:\n')
  for (const [one, { summary }] of Object.entries(all)) io.out(`  ${one.padEnd(width)}  ${summary}\n`)
  return 0
}

function helpOf(name: string, all: Record<string, Command>, io: Io): number {
  const command = all[name]
  if (!command) return unknown(name, all, io)
  const { positionals, options } = command.syntax
  const about = [
    ...positionals.map((one) => [one.metavar, one.help]),
    ...options.map((one) => [[one.short, one.flag].filter((flag) => flag).join(', '), one.help]),
  ]
  io.out(`${usageOf(`neutron ${name}`, command.syntax)}\n\n${command.summary}\n\n`)
  for (const [word = '', text] of about) if (text !== undefined) io.out(`  ${word.padEnd(28)}  ${text}\n`)
  if (command.isOpen)
    io.out('\nFurther fields of the API: --key value, --key type=bool True, --key list=true a b, --key action=clear\n')
  return 0
}

function unknown(name: string, all: Record<string, Command>, io: Io): number {
  const reason = Object.entries(elsewhere).find(([family]) => name === family || name.startsWith(`${family}-`))?.[1]
  io.err(`Unknown command ['${name}']\n`)
  const near = Object.keys(all).filter((one) => one.startsWith(name) || one.replaceAll('-', '') === name.replaceAll(/[-_]/g, ''))
  if (reason !== undefined) io.err(`${reason}\n`)
  else if (near.length > 0) io.err(`Did you mean ${near.slice(0, 5).join(' or ')}?\n`)
  return 1
}

const completion = (all: Record<string, Command>) =>
  [
    ...Object.keys(all),
    ...new Set(Object.values(all).flatMap(({ syntax }) => syntax.options.map(({ flag }) => flag))),
    ...globalFlags,
  ].join(' ')
