import { join } from 'node:path'
import { accountOf } from './account.ts'
import { bullets, type Ending } from './bullets.ts'
import type { Installation } from './installation.ts'
import { answerFiles, mayWriteCloudsYaml } from './outputs.ts'
import { lookAt } from './plan.ts'
import { gatherFacts } from './preflight/facts.ts'
import { type Finding, judge } from './preflight/judge.ts'
import { runSteps, stepNeeds } from './run.ts'
import type { Screen } from './screen.ts'
import { allInOneSteps } from './steps.ts'

/** `--allinone`: look at the machine, name everything that is in the way, do what is not done, tell what there is now. */
export async function allInOne(installation: Installation, screen: Screen, dryRun: boolean): Promise<number> {
  const started = performance.now()
  screen.say('Welcome to the Altostack installer\n')
  const findings = judge(await gatherFacts({ ...installation, isRunning: await isRunning(installation) }))
  show(findings, screen)
  const { host } = installation
  if (findings.some(({ isProblem }) => isProblem) || host === undefined)
    return screen.refuse('nothing was changed; the problems above are in the way')
  const steps = allInOneSteps(stepNeeds(installation, host))
  if (dryRun) {
    screen.say('\nWould be done:')
    for (const { name, isDone } of await lookAt(steps)) screen.say(`  ${name}${isDone ? ': nothing to do' : ''}`)
    return 0
  }
  screen.say('\nInstalling:')
  const { changed, failed } = await runSteps(steps, screen)
  if (failed > 0)
    return screen.refuse(`the log is ${installation.logFile}. The same command again carries on where this one stopped.`)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  screen.say(
    changed === 0 ? '\nNothing was changed: the cloud runs as it was installed.' : `\nThe cloud is ready, after ${seconds} s.`,
  )
  screen.say('\nAdditional information:')
  for (const bullet of bullets(await ending(installation, host))) screen.say(` * ${bullet}`)
  return 0
}

const isRunning = async ({ supervision }: Installation): Promise<boolean> =>
  (await supervision.look().catch(() => [])).some(({ name, pid }) => name === 'controller' && pid !== undefined)

function show(findings: readonly Finding[], screen: Screen): void {
  for (const { isProblem, what, remedy } of findings)
    screen.say(`${isProblem ? 'PROBLEM' : 'Note'} : ${what}${remedy === undefined ? '' : `\n          ${remedy}`}`)
}

async function ending({ place, probe, logFile, supervision, sudoUser }: Installation, host: string): Promise<Ending> {
  const account = sudoUser === undefined || sudoUser === 'root' ? undefined : await accountOf(sudoUser)
  return {
    host,
    home: place.home,
    answerFile: (await answerFiles(place)).at(-1) ?? '',
    accelerator: await probe(),
    logFile,
    supervision: supervision.kind,
    program: place.program,
    ...(account && { copy: join(account.home, 'keystonerc_admin') }),
    ...((await mayWriteCloudsYaml(place)) && { cloudsYaml: place.cloudsYaml }),
  }
}
