import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKnowledge } from './answers/parameters.ts'
import { type Asker, askAll } from './questions.ts'

const facts = { host: '192.0.2.10', hostName: 'stack', cores: 2, sshKey: '' }

/** Answers by the first pattern that fits the question; nothing else. */
function person(answers: [RegExp, ...string[]][]): Asker & { asked: string[] } {
  const asked: string[] = []
  const reply = async (question: string) => {
    asked.push(question)
    const found = answers.find(([pattern]) => pattern.test(question))
    return (found && found.length > 2 ? (found.splice(1, 1)[0] as string) : (found?.[1] ?? '')) as string
  }
  return { asked, line: reply, secret: reply }
}

test('what was given is not asked, what is wrong is asked again, secrets twice and never shown', async () => {
  const said: string[] = []
  const asker = person([
    [/Create demo project/, 'perhaps', 'n'],
    [/^Password of admin/, 'one', 'two', 'two'],
    [/^Confirm password of admin/, 'two'],
    [/^Proceed/, 'yes'],
  ])
  const given = [{ name: 'CONFIG_COMPUTE_HOSTS', value: 'h2', line: 0 }]
  const entries = await askAll(given, { knowledge: readKnowledge(), facts, asker, say: (text) => void said.push(text) })
  const value = (name: string) => entries.find((one) => one.name === name)?.value
  assert.equal(value('CONFIG_PROVISION_DEMO'), 'n')
  assert.equal(value('CONFIG_KEYSTONE_ADMIN_PW'), 'two')
  assert.equal(value('CONFIG_CONTROLLER_HOST'), '192.0.2.10')
  assert.equal(value('CONFIG_COMPUTE_HOSTS'), 'h2')
  assert.ok(!asker.asked.some((question) => question.startsWith('Compute hosts')))
  assert.ok(said.some((text) => text.includes('allowed is y, n')))
  assert.ok(said.includes('They are not the same.'))
  assert.ok(said.includes('CONFIG_KEYSTONE_ADMIN_PW: ********'))
})

test('a no begins the questions again', async () => {
  const asker = person([[/^Proceed/, 'no', 'yes']])
  await askAll([], { knowledge: readKnowledge(), facts, asker, say: () => {} })
  assert.equal(asker.asked.filter((question) => question.startsWith('Proceed')).length, 2)
})
