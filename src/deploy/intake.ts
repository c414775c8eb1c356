import { readdir, readFile } from 'node:fs/promises'
import { cpus, hostname } from 'node:os'
import { join } from 'node:path'
import type { LocalFacts } from './answers/defaults.ts'
import { type Entry, parseAnswers, withValues } from './answers/file.ts'
import type { Knowledge } from './answers/parameters.ts'
import { problemText } from './answers/resolve.ts'
import { type Taken, takeAnswers } from './answers/take.ts'
import type { Source } from './arguments.ts'
import { readSecrets } from './cloud.ts'
import { readText, write } from './files.ts'
import type { Installation } from './installation.ts'
import { type Asker, askAll } from './questions.ts'

export type IntakeNeeds = { installation: Installation; knowledge: Knowledge; asker: Asker; say: (text: string) => void }

/** Answers of a file, of options, or of a person, checked. */
export async function intake(source: Source, needs: IntakeNeeds): Promise<Taken> {
  const { installation, knowledge } = needs
  const facts = await localFacts(installation)
  const secrets = await readSecrets(installation.place).catch(() => undefined)
  if (source.from === 'file') {
    const { entries, problems } = parseAnswers(await answerFileText(source.file))
    return takeAnswers(entries, { knowledge, facts, secrets, file: source.file, reading: problems })
  }
  const installed = await readText(installation.place.answersFile)
  const given =
    source.from === 'questions' ? await askAll(source.entries, { ...needs, facts }) : [...hostEntries(source), ...source.entries]
  return takeAnswers(given, { knowledge, facts, secrets, ...(installed !== undefined && { installed }) })
}

export async function answerFileText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the answer file ${file} cannot be read: ${error.code === 'ENOENT' ? 'it is not there' : error.message}`)
  })
}

/** The first host of `--install-hosts` is controller and network host, the others run guests; one host is all. */
function hostEntries({ hosts, entries }: Extract<Source, { from: 'options' }>): Entry[] {
  const [first, ...others] = hosts ?? []
  if (first === undefined) return []
  const made = {
    CONFIG_CONTROLLER_HOST: first,
    CONFIG_NETWORK_HOSTS: first,
    CONFIG_COMPUTE_HOSTS: others.length > 0 ? others.join(',') : first,
  }
  return Object.entries(made)
    .filter(([name]) => !entries.some((one) => one.name === name))
    .map(([name, value]) => ({ name, value, line: 0 }))
}

/** Passwords drawn for placeholders go into the file they stood in, so that it says what the cloud has. */
export async function keepDrawn(file: string, { drawn }: Taken): Promise<void> {
  if (drawn.size === 0) return
  const text = withValues(await answerFileText(file), drawn)
  await write({ path: file, text, mode: 0o600 })
}

export async function localFacts({ host = '127.0.0.1', place }: Pick<Installation, 'host' | 'place'>): Promise<LocalFacts> {
  const folder = join(place.home, '.ssh')
  const keys = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.pub')).sort()
  return { host, hostName: hostname(), cores: cpus().length, sshKey: keys[0] === undefined ? '' : join(folder, keys[0]) }
}

/** What is wrong in a file, a line each. */
export async function validate(file: string, needs: Omit<IntakeNeeds, 'asker'>): Promise<string[]> {
  const { entries, problems } = parseAnswers(await answerFileText(file))
  const facts = await localFacts(needs.installation)
  const taken = await takeAnswers(entries, { knowledge: needs.knowledge, facts, secrets: undefined, file, reading: problems })
  for (const note of taken.notes) needs.say(note)
  return taken.problems.length > 0 ? taken.problems : problems.map((one) => problemText(file, one))
}
