import { Command, CommanderError, Option } from 'commander'

export type Ask =
  | { mode: 'allinone'; dryRun: boolean }
  | { mode: 'start' | 'stop' | 'status' }
  | { mode: 'uninstall'; keepData: boolean }
  | { mode: 'gen-answer-file'; file: string }

type Options = {
  allinone?: true
  dryRun?: true
  start?: true
  stop?: true
  status?: true
  uninstall?: true
  keepData?: true
  genAnswerFile?: string
}

const modes = ['allinone', 'start', 'stop', 'status', 'uninstall', 'genAnswerFile'] as const

const command = (print: (text: string) => void) =>
  new Command('packstack')
    .description('Deploys a whole OpenStack cloud on this machine, and looks after it.')
    .addOption(new Option('--allinone', 'install everything on this machine; again: carry on, or change nothing'))
    .addOption(new Option('-y, --dry-run', 'with --allinone: check the machine and print the plan, change nothing'))
    .addOption(new Option('--start', 'start what does not run, e.g. after a reboot'))
    .addOption(new Option('--stop', 'stop the control plane; guests go on running'))
    .addOption(new Option('--status', 'what runs and what is wrong, on one screen'))
    .addOption(new Option('--uninstall', 'take away everything that was made, guests too'))
    .addOption(new Option('--keep-data', 'with --uninstall: keep database, images, disks, secrets and configuration'))
    .addOption(new Option('--gen-answer-file <file>', 'write an answer file and stop'))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print })

/** The one thing that is asked for; or the exit code, after what there is to say was printed: 0 for help, 2 for a wrong option. */
export function parseAsk(argv: readonly string[], print: (text: string) => void): Ask | number {
  const parser = command(print)
  try {
    parser.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  const options = parser.opts<Options>()
  const asked = modes.filter((mode) => options[mode] !== undefined)
  const wrong = troubleOf(options, asked)
  if (wrong !== undefined) {
    print(`packstack: ${wrong}\n\n${parser.helpInformation()}`)
    return 2
  }
  return askOf(options, asked[0]!)
}

function troubleOf(options: Options, asked: string[]): string | undefined {
  if (asked.length === 0) return 'say what to do, e.g. --allinone'
  if (asked.length > 1) return 'only one thing can be done at a time'
  if (options.dryRun && !options.allinone) return '--dry-run goes with --allinone'
  if (options.keepData && !options.uninstall) return '--keep-data goes with --uninstall'
  return undefined
}

function askOf(options: Options, mode: (typeof modes)[number]): Ask {
  switch (mode) {
    case 'allinone':
      return { mode, dryRun: options.dryRun ?? false }
    case 'uninstall':
      return { mode, keepData: options.keepData ?? false }
    case 'genAnswerFile':
      return { mode: 'gen-answer-file', file: options.genAnswerFile! }
    default:
      return { mode }
  }
}
