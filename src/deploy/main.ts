import { fileURLToPath } from 'node:url'
import { explainError } from '../kit/errors.ts'
import { allInOne } from './all-in-one.ts'
import { answerFile } from './answers.ts'
import { type Ask, parseAsk } from './arguments.ts'
import { readConfigured } from './config.ts'
import { write } from './files.ts'
import { type Installation, openInstallation } from './installation.ts'
import { isOnlyOne } from './only-one.ts'
import { placeAt } from './place.ts'
import { start, stop, uninstall } from './run.ts'
import { type Screen, screenOn } from './screen.ts'
import { drawSecrets } from './secrets.ts'
import { statusLines, statusText } from './status.ts'

const clone = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** The command line of `packstack`. Gives the exit code: 0 done, 1 a step or a check failed, 2 a wrong option, 3 status: something is wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  const ask = parseAsk(argv, (text) => process.stdout.write(text))
  if (typeof ask === 'number') return ask
  // A reader that goes away, as `head` does, ends no installation.
  process.stdout.on('error', () => {})
  const screen = screenOn(process.stdout)
  try {
    const installation = await openInstallation(
      placeAt(),
      clone,
      process.env['SUDO_USER'],
      changesMachine(ask) && ask.mode !== 'uninstall',
    )
    // --allinone names root among all other problems.
    if (changesMachine(ask) && ask.mode !== 'allinone' && process.getuid?.() !== 0) return screen.refuse('only root can do this')
    if (changesMachine(ask) && process.getuid?.() === 0 && !(await isOnlyOne()))
      return screen.refuse('another packstack is at work on this machine; wait for its end')
    return await carry(ask, installation, screen)
  } catch (error) {
    return screen.refuse(explainError(error))
  }
}

const changesMachine = (ask: Ask) =>
  !(ask.mode === 'status' || ask.mode === 'gen-answer-file' || (ask.mode === 'allinone' && ask.dryRun))

function carry(ask: Ask, installation: Installation, screen: Screen): Promise<number> {
  switch (ask.mode) {
    case 'allinone':
      return allInOne(installation, screen, ask.dryRun)
    case 'start':
      return start(installation, screen)
    case 'stop':
      return stop(installation, screen)
    case 'uninstall':
      return uninstall(installation, screen, ask.keepData)
    case 'status':
      return status(installation)
    case 'gen-answer-file':
      return writeAnswers(installation, ask.file)
  }
}

async function status({ place, exec, supervision, probe, host: local = '127.0.0.1' }: Installation): Promise<number> {
  const host = (await readConfigured(place))?.host ?? local
  const lines = await statusLines({ place, exec, supervision, host, accelerator: probe })
  console.log(statusText(lines))
  return lines.some(({ trouble }) => trouble !== undefined) ? 3 : 0
}

async function writeAnswers({ host = '127.0.0.1', probe }: Installation, path: string): Promise<number> {
  const text = answerFile({ host, ...drawSecrets(), accelerator: await probe().catch(() => 'tcg' as const) })
  await write({ path, text, mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  return 0
}
