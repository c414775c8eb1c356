import { rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'
import { accountOf, areFoldersThere, makeUserAndFolders } from './account.ts'
import type { Accelerator } from './answers.ts'
import { hostsUp, isAnswering, lastLines, openAdmin, readSecrets, until } from './cloud.ts'
import { allInOneConfig, configText, readConfigured } from './config.ts'
import { demoSet, isDemoThere, makeDemo } from './demo/demo.ts'
import { exists, isWritten, write } from './files.ts'
import { isSwitchReady, startSwitch } from './openvswitch.ts'
import { areOutputsThere, writeOutputs } from './outputs.ts'
import { type Distribution, installPackages, missingPackages } from './packages.ts'
import { mark, type Place, user } from './place.ts'
import type { Step } from './plan.ts'
import { compile, installProgram, isCompiled, isInstalled } from './program.ts'
import { agentSecretsText, drawSecrets, type Secrets, secretsText } from './secrets.ts'
import { daemons } from './supervision/services.ts'
import type { Supervision } from './supervision/supervision.ts'

export type StepNeeds = {
  place: Place
  exec: Exec
  clone: string
  host: string
  distribution: Distribution
  supervision: Supervision
  probe: () => Promise<Accelerator>
  /** Builds the guest image into the file. */
  buildImage: (outFile: string) => Promise<void>
  sudoUser?: string
}

/** What makes a bare machine a cloud. Each step tells by looking whether it is done. */
export const allInOneSteps = (needs: StepNeeds): Step[] => [
  packages(needs),
  folders(needs),
  program(needs),
  compilation(needs),
  secrets(needs),
  configuration(needs),
  ...startSteps(needs, ['Installing packages', 'Making user and folders', 'Compiling the program', 'Writing configuration']),
  image(needs),
  demo(needs),
  outputs(needs),
]

/** What brings everything back after a reboot. */
export const startSteps = (needs: StepNeeds, after: readonly string[] = []): Step[] => [
  switchStep(needs, after),
  daemonsStep(needs, after),
  hostStep(needs),
]

const packages = ({ exec, distribution }: StepNeeds): Step => ({
  name: 'Installing packages',
  isDone: async () => (await missingPackages(exec, distribution)).length === 0,
  apply: async () => installPackages(exec, distribution, await missingPackages(exec, distribution)),
})

const folders = ({ place, exec }: StepNeeds): Step => ({
  name: 'Making user and folders',
  isDone: () => areFoldersThere(place),
  apply: () => makeUserAndFolders(place, exec),
})

const program = ({ place, exec, clone }: StepNeeds): Step => ({
  name: 'Installing the program',
  isDone: () => isInstalled(clone, place.program),
  apply: () => installProgram(exec, clone, place.program),
})

const compilation = ({ place, exec }: StepNeeds): Step => ({
  name: 'Compiling the program',
  needs: ['Making user and folders', 'Installing the program'],
  isDone: () => isCompiled(daemons(place), place.program),
  apply: () => compile(exec, daemons(place), place.program),
})

const secretFiles = async (place: Place, made: Secrets) => {
  const account = await accountOf(user)
  if (!account) throw new Error('the user altostack is not there')
  return [
    { path: place.secretsFile, text: secretsText(made), mode: 0o600, uid: account.uid, gid: account.gid },
    { path: place.agentSecretsFile, text: agentSecretsText(made), mode: 0o600 },
  ]
}

/** Secrets are drawn once: others would not fit what is in the database. */
const secrets = ({ place }: StepNeeds): Step => ({
  name: 'Making secrets',
  needs: ['Making user and folders'],
  async isDone() {
    const made = await readSecrets(place)
    return made !== undefined && (await Promise.all((await secretFiles(place, made)).map(isWritten))).every(Boolean)
  },
  async apply() {
    for (const file of await secretFiles(place, (await readSecrets(place)) ?? drawSecrets())) await write(file)
  },
})

const rotation = (place: Place) => `${mark}
${place.log}/*.log {
  size 20M
  rotate 4
  compress
  missingok
  notifempty
  copytruncate
}
`

/** A machine that was renamed stays the host it was: its guests are known by that name. */
const configuration = ({ place, host }: StepNeeds): Step => {
  const files = async () => {
    const config = allInOneConfig(place, host, (await readConfigured(place))?.agent.name ?? hostname())
    return [
      { path: place.configFile, text: configText(config), mode: 0o644 },
      { path: place.logrotate, text: rotation(place), mode: 0o644 },
    ]
  }
  return {
    name: 'Writing configuration',
    needs: ['Making secrets'],
    isDone: async () => (await Promise.all((await files()).map(isWritten))).every(Boolean),
    async apply() {
      for (const file of await files()) if (!(await isWritten(file))) await write(file)
    },
  }
}

const switchStep = ({ place, exec }: StepNeeds, after: readonly string[]): Step => ({
  name: 'Starting Open vSwitch',
  needs: after,
  isDone: () => isSwitchReady(place, exec),
  apply: () => startSwitch(place, exec),
})

const daemonsStep = ({ place, host, supervision }: StepNeeds, after: readonly string[]): Step => ({
  name: 'Starting the cloud',
  needs: after,
  async isDone() {
    const seen = await supervision.look()
    return (await supervision.isSetUp()) && seen.every((one) => one.isKept && one.isCurrent) && (await isAnswering(host))
  },
  async apply() {
    await supervision.setUp()
    await supervision.start()
    const log = join(place.log, 'controller.log')
    await until(
      () => isAnswering(host),
      60,
      async () => `the controller does not answer. The end of ${log}:\n${await lastLines(log)}`,
    )
  },
})

const hostStep = ({ place, host }: StepNeeds): Step => {
  const isUp = async () => (await hostsUp(await openAdmin(place, host))).length > 0
  const log = join(place.log, 'agent.log')
  return {
    name: 'Waiting for this host to report',
    needs: ['Starting the cloud', 'Starting Open vSwitch'],
    isDone: () => isUp().catch(() => false),
    apply: () => until(isUp, 60, async () => `the agent does not report. The end of ${log}:\n${await lastLines(log)}`),
  }
}

const image = ({ place, buildImage }: StepNeeds): Step => ({
  name: 'Building the guest image',
  needs: ['Installing packages', 'Making user and folders'],
  isDone: () => exists(place.image),
  async apply() {
    const fresh = `${place.image}.new`
    await rm(fresh, { force: true })
    await buildImage(fresh)
    await rename(fresh, place.image)
  },
})

const demo = ({ place, host }: StepNeeds): Step => {
  const set = async () => {
    const { demoPassword } = (await readSecrets(place)) ?? drawSecrets()
    return demoSet({ admin: await openAdmin(place, host), demoPassword, imageFile: place.image })
  }
  return {
    name: 'Provisioning the demo set',
    needs: ['Waiting for this host to report', 'Building the guest image'],
    isDone: async () => isDemoThere(await set()),
    apply: async () => makeDemo(await set()),
  }
}

const outputs = ({ place, host, probe, sudoUser }: StepNeeds): Step => {
  const about = async () => {
    const made = await readSecrets(place)
    if (!made) throw new Error(`${place.secretsFile} is not there`)
    return { place, host, secrets: made, accelerator: await probe(), ...(sudoUser !== undefined && { sudoUser }) }
  }
  return {
    name: 'Writing keystonerc, clouds.yaml and answers',
    needs: ['Installing packages', 'Making secrets'],
    isDone: async () => areOutputsThere(await about()),
    apply: async () => writeOutputs(await about()),
  }
}
