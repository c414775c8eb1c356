import { readFile } from 'node:fs/promises'
import type { Secrets } from '../secrets.ts'
import { drawPassword } from '../secrets.ts'
import type { LocalFacts } from './defaults.ts'
import { type Entry, type Problem, parseAnswers } from './file.ts'
import type { Knowledge } from './parameters.ts'
import { problemText, type Resolved, resolve, type Said } from './resolve.ts'
import { type Settings, settingsOf } from './settings.ts'

/** What was asked for, checked. */
export type Taken = {
  values: ReadonlyMap<string, string>
  settings: Settings
  /** Every problem of the answers, a line each; with one, nothing may be done. */
  problems: string[]
  /** What the user should know. */
  notes: string[]
  /** Passwords that were drawn for placeholders of the file. */
  drawn: ReadonlyMap<string, string>
}

export type TakeNeeds = {
  knowledge: Knowledge
  facts: LocalFacts
  /** Text of the answers that the cloud here was installed by. */
  installed?: string
  secrets: Secrets | undefined
  /** Name of the file the entries stand in, for messages. */
  file?: string
  /** Problems found in reading it. */
  reading?: readonly Problem[]
}

const placeholder = (value: string | undefined) => value === undefined || value === '' || value === 'PW_PLACEHOLDER'

/** From lines or options to settings. Passwords: as said, else as the cloud has them, else the one default, else drawn. */
export async function takeAnswers(entries: readonly Entry[], needs: TakeNeeds): Promise<Taken> {
  const { knowledge, facts, installed, secrets, file } = needs
  const base = new Map(parseAnswers(installed ?? '').entries.map(({ name, value }) => [name, value]))
  const found = resolve(entries, knowledge, facts, base)
  const problems = [...(needs.reading ?? []), ...found.problems]
  const drawn = drawPasswords(found, secrets)
  const { settings, problems: shapes } = settingsOf(found.values, found.said)
  for (const one of shapes) if (!problems.some(({ line, name }) => line === one.line && name === one.name)) problems.push(one)
  problems.push(...passwordTroubles(found.said, secrets), ...(await keyTroubles(found.said)))
  problems.sort((one, other) => (one.line ?? 0) - (other.line ?? 0))
  return {
    values: found.values,
    settings,
    problems: problems.map((one) => problemText(file, one)),
    notes: [...found.mapped, ...(found.warning === undefined ? [] : [found.warning])],
    drawn,
  }
}

const passwords = { CONFIG_KEYSTONE_ADMIN_PW: 'adminPassword', CONFIG_KEYSTONE_DEMO_PW: 'demoPassword' } as const
const passwordNames = Object.keys(passwords) as (keyof typeof passwords)[]

function drawPasswords({ values, said }: Resolved, secrets: Secrets | undefined): Map<string, string> {
  const drawn = new Map<string, string>()
  for (const name of passwordNames) {
    const given = said.get(name)?.value
    if (!placeholder(given)) continue
    const value = secrets?.[passwords[name]] ?? (values.get('CONFIG_DEFAULT_PASSWORD') || drawPassword())
    values.set(name, value)
    if (given !== undefined) drawn.set(name, value)
  }
  return drawn
}

/** A password of an installed cloud is changed in the cloud: its database has it. */
function passwordTroubles(said: ReadonlyMap<string, Said>, secrets: Secrets | undefined): Problem[] {
  return passwordNames.flatMap((name) => {
    const { value, line } = said.get(name) ?? {}
    if (secrets === undefined || placeholder(value) || value === secrets[passwords[name]]) return []
    const what =
      'the cloud has another password since its installation; leave it, and change it by: openstack user set --password'
    return [{ name, value: '********', what, ...(line !== undefined && { line }) }]
  })
}

async function keyTroubles(said: ReadonlyMap<string, Said>): Promise<Problem[]> {
  const { value, line } = said.get('CONFIG_SSH_KEY') ?? {}
  if (!value) return []
  const text = await readFile(value, 'utf8').catch(() => undefined)
  const what =
    text === undefined
      ? 'there is no such file'
      : /^(ssh-|ecdsa-|sk-)\S+ \S+/.test(text)
        ? undefined
        : 'this is no public SSH key'
  return what === undefined ? [] : [{ name: 'CONFIG_SSH_KEY', value, what, ...(line !== undefined && { line }) }]
}
