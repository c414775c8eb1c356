import { explainError } from '../kit/errors.ts'
import { readConfigured } from './config.ts'
import { exists } from './files.ts'
import { recordedHosts } from './hosts/record.ts'
import type { Installation } from './installation.ts'
import { carryOut, type Outcome, type Step } from './plan.ts'
import type { Screen } from './screen.ts'
import { type StepNeeds, startSteps } from './steps.ts'
import { uninstallSteps } from './uninstall.ts'

/** Shows a line for each step as it ends. */
export const runSteps = (steps: readonly Step[], screen: Screen): Promise<Outcome> =>
  carryOut(steps, {
    done: ({ name }) => screen.done(name),
    failed: ({ name }, error) => screen.failed(name, explainError(error)),
  })

export function stepNeeds(installation: Installation, host: string): StepNeeds {
  const { distribution } = installation
  if (!distribution) throw new Error('packages cannot be installed on this distribution')
  return { ...installation, distribution, host }
}

const nothingInstalled = 'nothing is installed here; ./packstack --allinone installs it'

/** `--start`: also Open vSwitch, because after a reboot it does not run either. */
export async function start(installation: Installation, screen: Screen): Promise<number> {
  const configured = await readConfigured(installation.place)
  if (!configured) return screen.refuse(nothingInstalled)
  const { failed, changed } = await runSteps(startSteps(stepNeeds(installation, configured.host)), screen)
  if (failed === 0) screen.say(changed === 0 ? '\nEverything was running already.' : '\nThe cloud runs.')
  return failed === 0 ? 0 : 1
}

export async function stop({ place, supervision }: Installation, screen: Screen): Promise<number> {
  if (!(await exists(place.program))) return screen.refuse(nothingInstalled)
  await supervision.stop()
  screen.done('Stopping controller and agent')
  screen.say('\nGuests go on running. packstack --start brings the control plane back.')
  return 0
}

export async function uninstall(installation: Installation, screen: Screen, keepData: boolean): Promise<number> {
  const others = await recordedHosts(installation.place)
  const { failed } = await runSteps(uninstallSteps({ ...installation, keepData }), screen)
  if (failed === 0)
    screen.say(keepData ? '\nGone, but for the data.' : '\nGone. The packages of the distribution stay: others may use them.')
  if (others.length > 0 && !keepData)
    screen.say(
      `\nThese hosts stay as they are; packstack --uninstall on each takes everything away: ${others.map(({ address }) => address).join(', ')}`,
    )
  return failed === 0 ? 0 : 1
}
