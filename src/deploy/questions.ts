import { createInterface } from 'node:readline'
import { troubleWith } from './answers/checks.ts'
import { defaultOf, type LocalFacts } from './answers/defaults.ts'
import { isActing } from './answers/effects.ts'
import type { Entry } from './answers/file.ts'
import { isGroupActive } from './answers/groups.ts'
import type { Knowledge, Parameter } from './answers/parameters.ts'

/** A person at a terminal. */
export type Asker = {
  line(question: string): Promise<string>
  /** What is typed is not shown. */
  secret(question: string): Promise<string>
}

export const terminal = (): Asker => ({ line: (question) => ask(question, false), secret: (question) => ask(question, true) })

function ask(question: string, isSecret: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: true })
    let isAsked = false
    if (isSecret) {
      // readline shows what is typed by this method, the question too.
      const quiet = lines as unknown as { _writeToOutput(text: string): void }
      quiet._writeToOutput = (text) => {
        if (!isAsked || text.includes('\n')) process.stdout.write(isAsked ? '\n' : text)
      }
    }
    lines.once('SIGINT', () => {
      lines.close()
      reject(new Error('interrupted'))
    })
    lines.question(question, (answer) => {
      lines.close()
      resolve(answer.trim())
    })
    isAsked = true
  })
}

export type QuestionNeeds = { knowledge: Knowledge; facts: LocalFacts; asker: Asker; say: (text: string) => void }

/** Asks each parameter that decides something and that no option gave, again until the answer is right; then whether to go on. */
export async function askAll(given: readonly Entry[], needs: QuestionNeeds): Promise<Entry[]> {
  for (;;) {
    const entries = [...given]
    const values = new Map(entries.map(({ name, value }) => [name, value]))
    for (const parameter of needs.knowledge.parameters) {
      if (!parameter.isAsked || !isActing(parameter.name) || values.has(parameter.name)) continue
      const known = new Map(
        needs.knowledge.parameters.map((one) => [one.name, values.get(one.name) ?? defaultOf(one, needs.facts)]),
      )
      if (!isGroupActive(parameter.group, known)) continue
      const value = await askOne(parameter, needs)
      values.set(parameter.name, value)
      entries.push({ name: parameter.name, value, line: 0 })
    }
    needs.say('\nPackstack will be installed with these values:')
    for (const { name, value } of entries)
      needs.say(`${name}: ${isSecret(needs.knowledge, name) && value !== '' ? '********' : value}`)
    if (/^y(es)?$/i.test(await needs.asker.line('Proceed with the configuration listed above? (yes|no): '))) return entries
  }
}

const isSecret = ({ parameters }: Knowledge, name: string) => parameters.find((one) => one.name === name)?.isSecret ?? false

async function askOne(parameter: Parameter, { facts, asker, say }: QuestionNeeds): Promise<string> {
  const { name, meaning, accepted } = parameter
  const usual = defaultOf(parameter, facts)
  const shown = parameter.isSecret ? '' : usual
  const allowed = / \/ /.test(accepted) ? ` [${accepted.replaceAll(' / ', '|')}]` : ''
  const question = `${meaning}${allowed}${shown === '' ? '' : ` [${shown}]`} : `
  for (;;) {
    const said = parameter.isSecret ? await asker.secret(question) : await asker.line(question)
    if (said === '') return parameter.isSecret ? '' : usual
    const trouble = troubleWith(said, accepted)
    if (trouble !== undefined) say(`${name}: ${trouble}`)
    else if (!parameter.isSecret || said === (await asker.secret(`Confirm ${meaning.toLowerCase()} : `))) return said
    else say('They are not the same.')
  }
}
