import { Command, CommanderError, Option } from 'commander'
import type { Entry } from './answers/file.ts'
import { lookalikeTrouble } from './answers/lookalikes.ts'
import type { Knowledge } from './answers/parameters.ts'

/** Where the answers come from: options, a file, or questions. */
export type Source =
  | { from: 'options'; hosts?: string[]; isAllInOne: boolean; entries: Entry[] }
  | { from: 'file'; file: string }
  | { from: 'questions'; entries: Entry[] }

export type Ask =
  | { mode: 'deploy'; source: Source; dryRun: boolean; isDebug: boolean; timeoutSeconds: number }
  | { mode: 'gen-answer-file'; file: string; source: Extract<Source, { from: 'options' }> }
  | { mode: 'validate-answer-file'; file: string }
  | { mode: 'remove-host'; host: string; timeoutSeconds: number }
  | { mode: 'options' }
  | { mode: 'start' | 'stop' | 'status' }
  | { mode: 'uninstall'; keepData: boolean }
  | { mode: 'join' }

type Options = {
  allinone?: true
  dryRun?: true
  start?: true
  stop?: true
  status?: true
  uninstall?: true
  keepData?: true
  genAnswerFile?: string
  answerFile?: string
  validateAnswerFile?: string
  installHosts?: string
  removeHost?: string
  timeout: string
  options?: true
  debug?: true
  join?: true
}

const modes = [
  'allinone',
  'installHosts',
  'answerFile',
  'validateAnswerFile',
  'removeHost',
  'options',
  'start',
  'stop',
  'status',
  'uninstall',
  'join',
] as const

function command(
  knowledge: Knowledge,
  version: string,
  print: (text: string) => void,
): { parser: Command; parameters: Map<Option, string> } {
  const parser = new Command('packstack')
    .description('Deploys a whole OpenStack cloud on this machine and others, and looks after it. Without options it asks.')
    .version(version, '--version', 'print the version')
    .addOption(new Option('--allinone', 'install everything on this machine; again: carry on, or change nothing'))
    .addOption(
      new Option(
        '--install-hosts <hosts>',
        'the first is controller and network host, the others, separated by commas, run guests',
      ),
    )
    .addOption(new Option('--answer-file <file>', 'install as this file says'))
    .addOption(new Option('--gen-answer-file <file>', 'write an answer file and stop; other options are taken into it'))
    .addOption(new Option('--validate-answer-file <file>', 'check an answer file and stop'))
    .addOption(new Option('--remove-host <host>', 'move the guests of a host to others and take it out of the cloud'))
    .addOption(new Option('-o, --options', 'print all parameters as reStructuredText'))
    .addOption(new Option('-t, --timeout <seconds>', 'how long a step on another host may take').default('300'))
    .addOption(new Option('-d, --debug', 'accepted as packstack has it; the log always has everything'))
    .addOption(new Option('-y, --dry-run', 'check the machines and print the plan, change nothing'))
    .addOption(new Option('--start', 'start what does not run, e.g. after a reboot'))
    .addOption(new Option('--stop', 'stop the control plane; guests go on running'))
    .addOption(new Option('--status', 'what runs and what is wrong, on one screen'))
    .addOption(new Option('--uninstall', 'take away everything that was made, guests too'))
    .addOption(new Option('--keep-data', 'with --uninstall: keep database, images, disks, secrets and configuration'))
    .addOption(new Option('--join', 'used among hosts').hideHelp())
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print })
  const parameters = new Map<Option, string>()
  const taken = new Set(parser.options.map(({ long }) => long))
  const add = (flag: string, name: string, group: string, text: string, isOld: boolean) => {
    if (taken.has(flag)) return
    taken.add(flag)
    const option = new Option(`${flag} <value>`, text).helpGroup(`${group}:`)
    parameters.set(isOld ? option.hideHelp() : option, name)
    parser.addOption(option)
  }
  for (const { name, option, group, meaning } of knowledge.parameters)
    if (option) add(option, name, group, `${meaning} (${name})`, false)
  for (const { name, options, fate } of knowledge.old) for (const option of options) add(option, name, 'OLD', fate, true)
  return { parser, parameters }
}

export type Parsing = { knowledge: Knowledge; version: string; print: (text: string) => void; isInteractive: boolean }

/** The one thing that is asked for; or the exit code, after what there is to say was printed: 0 for help, 2 for a wrong option. */
export function parseAsk(argv: readonly string[], { knowledge, version, print, isInteractive }: Parsing): Ask | number {
  const { parser, parameters } = command(knowledge, version, print)
  const refuse = (why: string) => {
    print(`Usage: packstack [options]; packstack --help lists them\n\npackstack: error: ${why}\n`)
    return 2
  }
  const odd = argv.find((word) => /^[^\p{ASCII}]/u.test(word) && lookalikeTrouble(word) !== undefined)
  if (odd !== undefined) return refuse(`${odd}: ${lookalikeTrouble(odd)}`)
  try {
    parser.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  const options = parser.opts<Options>()
  const entries = [...parameters].flatMap(([option, name]): Entry[] => {
    const value = parser.getOptionValue(option.attributeName()) as string | undefined
    return value === undefined ? [] : [{ name, value, line: 0 }]
  })
  const asked = modes.filter((mode) => options[mode] !== undefined)
  const wrong = troubleOf(options, asked, entries, isInteractive)
  return wrong === undefined ? askOf(options, entries) : refuse(wrong)
}

function troubleOf(options: Options, asked: readonly string[], entries: Entry[], isInteractive: boolean): string | undefined {
  if (asked.length > 1) return 'only one thing can be done at a time'
  const mode = asked[0]
  const writes = options.genAnswerFile !== undefined
  if (writes && mode !== undefined && mode !== 'allinone' && mode !== 'installHosts')
    return '--gen-answer-file goes with --allinone and --install-hosts only'
  const takesParameters = mode === undefined || mode === 'allinone' || mode === 'installHosts'
  if (entries.length > 0 && !takesParameters)
    return mode === 'answerFile'
      ? 'with --answer-file, parameters stand in the file: no option for them can be given'
      : `${entries[0]!.name} cannot be given here`
  if (mode === undefined && !writes && !isInteractive) return 'say what to do, e.g. --allinone; questions need a terminal'
  if (options.dryRun && !(takesParameters || mode === 'answerFile'))
    return '--dry-run goes with --allinone, --install-hosts and --answer-file'
  if (options.keepData && mode !== 'uninstall') return '--keep-data goes with --uninstall'
  if (!/^[1-9]\d*$/.test(options.timeout)) return `--timeout is a number of seconds, not ${options.timeout}`
  return undefined
}

function askOf(options: Options, entries: Entry[]): Ask {
  const timeoutSeconds = Number(options.timeout)
  const hosts = options.installHosts
    ?.split(',')
    .map((host) => host.trim())
    .filter(Boolean)
  const source = { from: 'options' as const, isAllInOne: options.allinone ?? false, entries, ...(hosts && { hosts }) }
  const deploy = (from: Source): Ask => ({
    mode: 'deploy',
    source: from,
    dryRun: options.dryRun ?? false,
    isDebug: options.debug ?? false,
    timeoutSeconds,
  })
  if (options.genAnswerFile !== undefined) return { mode: 'gen-answer-file', file: options.genAnswerFile, source }
  if (options.allinone || hosts) return deploy(source)
  if (options.answerFile !== undefined) return deploy({ from: 'file', file: options.answerFile })
  if (options.validateAnswerFile !== undefined) return { mode: 'validate-answer-file', file: options.validateAnswerFile }
  if (options.removeHost !== undefined) return { mode: 'remove-host', host: options.removeHost, timeoutSeconds }
  if (options.uninstall) return { mode: 'uninstall', keepData: options.keepData ?? false }
  for (const mode of ['options', 'start', 'stop', 'status', 'join'] as const) if (options[mode]) return { mode }
  return deploy({ from: 'questions', entries })
}
