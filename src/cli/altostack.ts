import { Command } from 'commander'
import { explainError } from '../kit/errors.ts'
import { operatorLink } from './operator-link.ts'

type Print = (line: string) => void

/** As a controller answers `explain`. */
export type Explanation = {
  summary: string[]
  life: { at: string; what: string; detail: string[]; request: string }[]
}

/** `altostack explain KIND ID`, `altostack doctor`, `altostack keys rotate`, `altostack image restore ID`. Gives the exit code: 1 when something is wrong, 2 when it could not be asked. */
export async function altostack(
  argv: readonly string[],
  print: Print = console.log,
  complain: Print = console.error,
): Promise<number> {
  let code = 0
  const ask = async (name: string, question?: unknown) => {
    const link = await operatorLink()
    try {
      return await link.call(name, question)
    } finally {
      link.close()
    }
  }
  const program = new Command('altostack').description('Looks into a running cloud.').exitOverride()
  program
    .command('explain')
    .description('the life of a thing, with reasons')
    .argument('<kind>', 'server, port, network or image')
    .argument('<id>', 'its id')
    .action(async (kind: string, id: string) => {
      for (const line of show((await ask('explain', { kind, id })) as Explanation)) print(line)
    })
  program
    .command('doctor')
    .description('compares database, hosts and kernel; exit code 1 when they differ')
    .action(async () => {
      const { problems } = (await ask('doctor')) as { problems: string[] }
      for (const problem of problems) print(problem)
      if (problems.length === 0) print('Database, hosts and kernel agree.')
      else code = 1
    })
  program
    .command('keys')
    .description('keys that tokens are made with')
    .command('rotate')
    .description('makes a new one; nobody is logged out')
    .action(async () => {
      await ask('rotateKeys')
      print('New tokens are made with a new key; the old ones are good until they expire.')
    })
  program
    .command('image')
    .description('images that were deleted')
    .command('restore')
    .description('brings back one whose bytes are kept for a while (pending_delete)')
    .argument('<id>', 'its id')
    .action(async (id: string) => {
      await ask('restoreImage', { id })
      print(`Image ${id} is there again.`)
    })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    const { code: reason, exitCode } = error as { code?: string; exitCode?: number }
    if (reason?.startsWith('commander.')) return exitCode === 0 ? 0 : 2
    complain(explainError(error))
    return 2
  }
}

/** Lines for people: what it is now, then one line a change with its reasons below. */
export const show = ({ summary, life }: Explanation): string[] => [
  ...summary,
  ...(life.length > 0 ? [''] : []),
  ...life.flatMap(({ at, what, detail, request }) => [
    `${at}  ${what}${request === '' ? '' : `  [${request}]`}`,
    ...detail.map((line) => `${' '.repeat(22)}${line}`),
  ]),
]
