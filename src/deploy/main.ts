import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { explainError } from '../kit/errors.ts'
import { type Knowledge, readKnowledge } from './answers/parameters.ts'
import { answerText } from './answers/write.ts'
import { type Ask, parseAsk } from './arguments.ts'
import { readConfigured } from './config.ts'
import { deploy } from './deploy.ts'
import { write } from './files.ts'
import { removeHost } from './hosts/remove.ts'
import { type Installation, openInstallation } from './installation.ts'
import { intake, validate } from './intake.ts'
import { type JoinAsk, joinCloud } from './join.ts'
import { isOnlyOne } from './only-one.ts'
import { optionsText } from './options-text.ts'
import { placeAt } from './place.ts'
import { terminal } from './questions.ts'
import { start, stop, uninstall } from './run.ts'
import { type Screen, screenOn } from './screen.ts'
import { statusLines, statusText } from './status.ts'

const clone = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** The command line of `packstack`. Gives the exit code: 0 done, 1 a step or a check failed, 2 a wrong option, 3 status: something is wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  const knowledge = readKnowledge()
  const { version } = JSON.parse(readFileSync(`${clone}/package.json`, 'utf8')) as { version: string }
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY
  const ask = parseAsk(argv, { knowledge, version, isInteractive, print: (text) => void process.stdout.write(text) })
  if (typeof ask === 'number') return ask
  // A reader that goes away, as `head` does, ends no installation.
  process.stdout.on('error', () => {})
  const screen = screenOn(process.stdout)
  try {
    const isLogged = changesMachine(ask) && ask.mode !== 'uninstall'
    const installation = await openInstallation(placeAt(), clone, process.env['SUDO_USER'], isLogged)
    // A deployment names root among all other problems.
    if (changesMachine(ask) && ask.mode !== 'deploy' && process.getuid?.() !== 0) return screen.refuse('only root can do this')
    if (changesMachine(ask) && process.getuid?.() === 0 && !(await isOnlyOne()))
      return screen.refuse('another packstack is at work on this machine; wait for its end')
    return await carry(ask, installation, knowledge, screen)
  } catch (error) {
    return screen.refuse(explainError(error))
  }
}

function changesMachine(ask: Ask): boolean {
  if (ask.mode === 'deploy') return !ask.dryRun
  return !['status', 'gen-answer-file', 'validate-answer-file', 'options'].includes(ask.mode)
}

async function carry(ask: Ask, installation: Installation, knowledge: Knowledge, screen: Screen): Promise<number> {
  const needs = { installation, knowledge, asker: terminal(), say: screen.say }
  switch (ask.mode) {
    case 'deploy':
      return deploy(ask, needs, screen)
    case 'start':
      return start(installation, screen)
    case 'stop':
      return stop(installation, screen)
    case 'uninstall':
      return uninstall(installation, screen, ask.keepData)
    case 'status':
      return status(installation)
    case 'options':
      screen.say(optionsText(knowledge))
      return 0
    case 'validate-answer-file': {
      const problems = await validate(ask.file, needs)
      for (const problem of problems) screen.say(`PROBLEM : ${problem}`)
      return problems.length === 0 ? 0 : 1
    }
    case 'gen-answer-file': {
      const taken = await intake(ask.source, needs)
      for (const problem of taken.problems) screen.say(`PROBLEM : ${problem}`)
      if (taken.problems.length > 0) return screen.refuse('no answer file was written')
      const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
      await write({ path: ask.file, text: answerText(knowledge, taken.values), mode: 0o600, uid, gid })
      return 0
    }
    case 'remove-host': {
      const { host, timeoutSeconds } = ask
      const asker = process.stdin.isTTY ? needs.asker : undefined
      return removeHost(host, { installation, screen, asker, timeoutMs: timeoutSeconds * 1000 })
    }
    case 'join': {
      const told = JSON.parse(await text(process.stdin)) as JoinAsk
      return joinCloud(installation, told, (line) => console.log(JSON.stringify(line)))
    }
  }
}

async function status({
  place,
  exec,
  supervision,
  probe,
  daemonNames,
  host: local = '127.0.0.1',
}: Installation): Promise<number> {
  const host = (await readConfigured(place))?.host ?? local
  const lines = await statusLines({ place, exec, supervision, daemonNames, host, accelerator: probe })
  console.log(statusText(lines))
  return lines.some(({ trouble }) => trouble !== undefined) ? 3 : 0
}
