import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'
import { accountOf, areFoldersThere, makeUserAndFolders } from './account.ts'
import type { Settings } from './answers/settings.ts'
import { makeCertificate } from './certificate.ts'
import { hostsUp, isAnswering, lastLines, openAdmin, readSecrets, until } from './cloud.ts'
import { linkCommands } from './commands.ts'
import { configText, type DaemonName, type Node, nodeConfig } from './config.ts'
import { demoSet, flavorSet, isDemoThere, makeDemo } from './demo/demo.ts'
import { exists, isWritten, write } from './files.ts'
import { isSwitchReady, startSwitch } from './openvswitch.ts'
import { areOutputsThere, writeOutputs } from './outputs.ts'
import { type Distribution, installPackages, missingPackages } from './packages.ts'
import { mark, type Place, user } from './place.ts'
import type { Step } from './plan.ts'
import { compile, installProgram, isCompiled, isInstalled } from './program.ts'
import { agentSecretsText, drawKey, type Secrets, secretsText } from './secrets.ts'
import { daemons } from './supervision/services.ts'
import type { Supervision } from './supervision/supervision.ts'

export type StepNeeds = {
  place: Place
  exec: Exec
  clone: string
  host: string
  distribution: Distribution
  supervision: Supervision
  /** What runs on this machine. */
  daemonNames: readonly DaemonName[]
}

/** What a controller's machine needs beyond what any host does. */
export type ControllerNeeds = StepNeeds & {
  settings: Settings
  node: Node
  /** Text of the answers that are carried out. */
  answers: string
  /** Whether the answers are left in root's home: they came from no file. */
  leavesAnswers: boolean
  /** Builds the guest image into the file. */
  buildImage: (outFile: string) => Promise<void>
  sudoUser?: string
}

/** What makes a bare machine a cloud. Each step tells by looking whether it is done. */
export const controllerSteps = (needs: ControllerNeeds): Step[] => [
  packages(needs),
  folders(needs),
  program(needs),
  compilation(needs),
  linkCommands(needs.place),
  secrets(needs),
  configuration(needs),
  ...startSteps(needs, ['Installing packages', 'Making user and folders', 'Compiling the program', 'Writing configuration']),
  ...(needs.settings.hasDemo ? [image(needs)] : []),
  ...(needs.settings.hasDemo || needs.settings.hasFlavors ? [demo(needs)] : []),
  outputs(needs),
]

/** What brings everything back after a reboot. */
export const startSteps = (needs: StepNeeds, after: readonly string[] = []): Step[] => [
  ...(needs.daemonNames.includes('agent') ? [switchStep(needs, after)] : []),
  daemonsStep(needs, after),
  ...(needs.daemonNames.includes('agent') && needs.daemonNames.includes('controller') ? [hostStep(needs)] : []),
]

export const packages = ({ exec, distribution }: StepNeeds): Step => ({
  name: 'Installing packages',
  isDone: async () => (await missingPackages(exec, distribution)).length === 0,
  apply: async () => installPackages(exec, distribution, await missingPackages(exec, distribution)),
})

export const folders = ({ place, exec }: StepNeeds): Step => ({
  name: 'Making user and folders',
  isDone: () => areFoldersThere(place),
  apply: () => makeUserAndFolders(place, exec),
})

const program = ({ place, exec, clone }: StepNeeds): Step => ({
  name: 'Installing the program',
  isDone: () => isInstalled(clone, place.program),
  apply: () => installProgram(exec, clone, place.program),
})

export const compilation = ({ place, exec, daemonNames }: StepNeeds): Step => ({
  name: 'Compiling the program',
  needs: ['Making user and folders', ...(daemonNames.includes('controller') ? ['Installing the program'] : [])],
  isDone: () => isCompiled(daemons(place, daemonNames), place.program),
  apply: () => compile(exec, daemons(place, daemonNames), place.program),
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
const secrets = ({ place, exec, settings }: ControllerNeeds): Step => ({
  name: 'Making secrets',
  needs: ['Making user and folders', 'Installing packages'],
  async isDone() {
    const made = await readSecrets(place)
    return (
      made?.linkCertificate !== undefined && (await Promise.all((await secretFiles(place, made)).map(isWritten))).every(Boolean)
    )
  },
  async apply() {
    const { adminPassword, demoPassword } = settings
    const made: Secrets = (await readSecrets(place)) ?? {
      adminPassword,
      demoPassword,
      linkKey: drawKey(),
      credentialKeys: [drawKey()],
    }
    const whole = made.linkCertificate === undefined ? { ...made, ...(await makeCertificate(exec)) } : made
    for (const file of await secretFiles(place, whole)) await write(file)
  },
})

export const rotation = (place: Place) => `${mark}
${place.log}/*.log {
  size 20M
  rotate 4
  compress
  missingok
  notifempty
  copytruncate
}
`

const configuration = ({ place, settings, node, answers }: ControllerNeeds): Step => {
  const files = [
    { path: place.answersFile, text: answers, mode: 0o600 },
    { path: place.logrotate, text: rotation(place), mode: 0o644 },
    { path: place.configFile, text: configText(nodeConfig(place, settings, node)), mode: 0o644 },
  ]
  return {
    name: 'Writing configuration',
    needs: ['Making secrets'],
    isDone: async () => (await Promise.all(files.map(isWritten))).every(Boolean),
    async apply() {
      for (const file of files) if (!(await isWritten(file))) await write(file)
    },
  }
}

export const switchStep = ({ place, exec }: StepNeeds, after: readonly string[]): Step => ({
  name: 'Starting Open vSwitch',
  needs: after,
  isDone: () => isSwitchReady(place, exec),
  apply: () => startSwitch(place, exec),
})

export const daemonsStep = ({ place, host, supervision, daemonNames }: StepNeeds, after: readonly string[]): Step => {
  const isThere = async () => !daemonNames.includes('controller') || (await isAnswering(host))
  return {
    name: daemonNames.includes('controller') ? 'Starting the cloud' : 'Starting the agent',
    needs: after,
    async isDone() {
      const seen = await supervision.look()
      return (await supervision.isSetUp()) && seen.every((one) => one.isKept && one.isCurrent) && (await isThere())
    },
    async apply() {
      await supervision.setUp()
      await supervision.start()
      const log = join(place.log, 'controller.log')
      await until(isThere, 60, async () => `the controller does not answer. The end of ${log}:\n${await lastLines(log)}`)
    },
  }
}

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

const image = ({ place, buildImage }: ControllerNeeds): Step => ({
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

const demo = ({ place, host, settings, daemonNames }: ControllerNeeds): Step => {
  const { demoPassword, externalPhysnet: physicalNetwork, hasDemo, hasFlavors } = settings
  const set = async () => {
    const admin = await openAdmin(place, host)
    const flavors = flavorSet(admin)
    const all = demoSet({ admin, demoPassword, imageFile: place.image, physicalNetwork })
    return hasDemo && hasFlavors ? all : hasDemo ? all.slice(flavors.length) : flavors
  }
  return {
    name: hasDemo ? 'Provisioning the demo set' : 'Making flavors',
    needs: [
      daemonNames.includes('agent') ? 'Waiting for this host to report' : 'Starting the cloud',
      ...(hasDemo ? ['Building the guest image'] : []),
    ],
    isDone: async () => isDemoThere(await set()),
    apply: async () => makeDemo(await set()),
  }
}

const outputs = ({ place, host, settings, answers, leavesAnswers, sudoUser }: ControllerNeeds): Step => {
  const { region, hasDemo } = settings
  const about = async () => {
    const made = await readSecrets(place)
    if (!made) throw new Error(`${place.secretsFile} is not there`)
    return {
      place,
      host,
      region,
      hasDemo,
      secrets: made,
      ...(leavesAnswers && { answers }),
      ...(sudoUser !== undefined && { sudoUser }),
    }
  }
  return {
    name: 'Writing keystonerc, clouds.yaml and answers',
    needs: ['Installing packages', 'Making secrets'],
    isDone: async () => areOutputsThere(await about()),
    apply: async () => writeOutputs(await about()),
  }
}
