import { hostname } from 'node:os'
import { join } from 'node:path'
import { accountOf } from './account.ts'
import type { Settings } from './answers/settings.ts'
import type { Taken } from './answers/take.ts'
import { answerText } from './answers/write.ts'
import type { Ask } from './arguments.ts'
import { bullets, type Ending } from './bullets.ts'
import { commandLines, lookAtCommands } from './commands.ts'
import { type Node, nodeConfig, readConfigured } from './config.ts'
import { buildImage } from './guest.ts'
import { cardSteps } from './hosts/card-steps.ts'
import { type CardsSeen, cardLines, cardsWanted, cardTroubles, lookAtCards, tunnelAddress } from './hosts/cards.ts'
import { everComputeHosts, recordComputeHosts } from './hosts/compute-hosts.ts'
import { isLocal } from './hosts/local.ts'
import { type Others, otherHosts } from './hosts/others.ts'
import { keptOpen, roleSteps } from './hosts/services.ts'
import type { Installation } from './installation.ts'
import { type IntakeNeeds, intake, keepDrawn } from './intake.ts'
import { answerFiles, mayWriteCloudsYaml } from './outputs.ts'
import { lookAt } from './plan.ts'
import { gatherFacts } from './preflight/facts.ts'
import { type Finding, judge } from './preflight/judge.ts'
import { runSteps, stepNeeds } from './run.ts'
import type { Screen } from './screen.ts'
import { controllerSteps } from './steps.ts'
import { supervision } from './supervision/choose.ts'

export type Deployment = Extract<Ask, { mode: 'deploy' }>

/** Looks at the machines, names everything that is in the way, does what is not done, tells what there is now. */
export async function deploy(ask: Deployment, needs: IntakeNeeds, screen: Screen): Promise<number> {
  const { installation } = needs
  const started = performance.now()
  screen.say('Welcome to the Altostack setup utility\n')
  if (!ask.dryRun) screen.say(`The installation log file is available at: ${installation.logFile}\n`)
  const taken = await intake(ask.source, needs)
  for (const note of taken.notes) screen.say(`Note : ${note}`)
  const problems = [...taken.problems, ...(await controllerTroubles(taken.settings))]
  if (problems.length > 0) {
    for (const problem of problems) screen.say(`PROBLEM : ${problem}`)
    return screen.refuse('nothing was changed; the problems above are in the way')
  }
  const { settings } = taken
  const cards = await lookAtCards(installation.exec)
  const node = await localNode(installation, settings, cards)
  const here = { ...installation, host: settings.controller, daemonNames: nodeConfig(installation.place, settings, node).daemons }
  const local = { ...here, supervision: supervision(here.place, here.exec, here.daemonNames) }
  const { timeoutSeconds } = ask
  const asker = process.stdin.isTTY ? needs.asker : undefined
  const [facts, others] = await Promise.all([
    gatherFacts({ ...local, isRunning: () => isRunning(local), needsImage: settings.hasDemo }),
    otherHosts({ installation: local, settings, localName: node.name, asker, timeoutSeconds, screen }),
  ])
  try {
    return await carryOn(
      ask,
      { needs, local, taken, node, findings: [...judge(facts), ...cardFindings(settings, node, cards)], cards, others, started },
      screen,
    )
  } finally {
    await others.close()
  }
}

type Found = {
  needs: IntakeNeeds
  local: Installation
  taken: Taken
  node: LocalNode
  findings: readonly Finding[]
  cards: CardsSeen
  others: Others
  started: number
}

async function carryOn(
  ask: Deployment,
  { needs, local, taken, node, findings, cards, others, started }: Found,
  screen: Screen,
): Promise<number> {
  const { settings } = taken
  show(findings, screen)
  for (const problem of others.problems) screen.say(`PROBLEM : ${problem}`)
  if (others.problems.length > 0 || findings.some(({ isProblem }) => isProblem))
    return screen.refuse('nothing was changed; the problems above are in the way')
  const own = node.wasComputeHost && !node.isComputeHost ? [keptOpen(settings.controller, node.name)] : []
  const plan = [...localCards(settings, node, cards), ...others.plan, ...own]
  if (plan.length > 0) screen.say(['\nHosts:', ...plan].join('\n'))
  const leavesAnswers = ask.source.from !== 'file'
  const answers = answerText(needs.knowledge, taken.values)
  const { distribution, ...base } = stepNeeds(local, settings.controller)
  const build = (outFile: string) => buildImage({ ...local, distribution }, outFile)
  const steps = [
    ...controllerSteps({ ...base, distribution, settings, node, answers, leavesAnswers, buildImage: build }),
    ...(node.runsAgent ? [...localRole(local, settings, node), ...localCardSteps(local, settings, node)] : []),
    ...others.steps,
  ]
  if (ask.dryRun) {
    screen.say('\nWould be done:')
    for (const { name, isDone } of await lookAt(steps)) screen.say(`  ${name}${isDone ? ': nothing to do' : ''}`)
    return 0
  }
  if (ask.source.from === 'file') await keepDrawn(ask.source.file, taken)
  await others.record()
  await recordComputeHosts(local.place, [...others.computeHosts, ...(node.isComputeHost ? [node.name] : [])])
  screen.say('\nInstalling:')
  const { changed, failed } = await runSteps(steps, screen)
  if (failed === 0) {
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    screen.say(
      changed === 0
        ? '\nNothing was changed: the cloud runs as it was installed.'
        : `\n **** Installation completed successfully ******\n\nThe cloud is ready, after ${seconds} s.`,
    )
  }
  screen.say('\nAdditional information:')
  for (const bullet of bullets(await ending(local, ask, taken))) screen.say(` * ${bullet}`)
  if (failed > 0) return screen.refuse(`the log is ${local.logFile}. The same command again carries on where this one stopped.`)
  return 0
}

const localRole = ({ place }: Installation, { controller }: Settings, { name, isComputeHost, wasComputeHost }: LocalNode) =>
  roleSteps(place, controller, {
    name,
    title: '',
    isCompute: isComputeHost,
    wasCompute: wasComputeHost,
    needs: ['Waiting for this host to report'],
  })

const localCardSteps = ({ place }: Installation, settings: Settings, { name, isNetworkHost }: LocalNode) =>
  cardSteps(place, {
    name,
    title: '',
    needs: ['Waiting for this host to report'],
    cards: cardsWanted(settings, isNetworkHost),
  })

const cardFindings = (settings: Settings, { runsAgent, isNetworkHost }: LocalNode, cards: CardsSeen): Finding[] =>
  (runsAgent ? cardTroubles(cards, cardsWanted(settings, isNetworkHost)) : []).map(({ what, remedy }) => ({
    isProblem: true,
    what: `This machine: ${what}.`,
    remedy,
  }))

function localCards(settings: Settings, { name, runsAgent, isNetworkHost }: LocalNode, cards: CardsSeen): string[] {
  const lines = runsAgent ? cardLines(cards, cardsWanted(settings, isNetworkHost)) : []
  return lines.length === 0 ? [] : [`  changed  this machine (${name})`, ...lines]
}

/** Secrets of the cloud are made and kept on the controller: packstack runs there. */
const controllerTroubles = async ({ controller }: Settings): Promise<string[]> =>
  (await isLocal(controller))
    ? []
    : [`CONFIG_CONTROLLER_HOST=${controller}: this is not an address of this machine; run packstack on the controller`]

type LocalNode = Node & { isComputeHost: boolean; wasComputeHost: boolean }

/** A machine that was renamed stays the host it was: its guests are known by that name. */
async function localNode({ place }: Installation, settings: Settings, cards: CardsSeen): Promise<LocalNode> {
  const { networkHosts, computeHosts, controller } = settings
  const isAmong = async (hosts: string[]) => (await Promise.all(hosts.map(isLocal))).includes(true)
  const [isNetworkHost, isComputeHost] = [await isAmong(networkHosts), await isAmong(computeHosts)]
  const name = (await readConfigured(place))?.agent.name ?? hostname()
  const wasComputeHost = (await everComputeHosts(place)).includes(name)
  return {
    name,
    isComputeHost,
    wasComputeHost,
    address: controller,
    tunnelIp: tunnelAddress(cards, cardsWanted(settings, isNetworkHost)) ?? controller,
    isController: true,
    isNetworkHost,
    isGateway: await isAmong(networkHosts.slice(0, 1)),
    runsAgent: isNetworkHost || isComputeHost || wasComputeHost,
  }
}

const isRunning = async ({ supervision }: Installation): Promise<boolean> =>
  (await supervision.look().catch(() => [])).some(({ name, pid }) => name === 'controller' && pid !== undefined)

function show(findings: readonly Finding[], screen: Screen): void {
  for (const { isProblem, what, remedy } of findings)
    screen.say(`${isProblem ? 'PROBLEM' : 'Note'} : ${what}${remedy === undefined ? '' : `\n          ${remedy}`}`)
}

async function ending(installation: Installation, { source }: Deployment, { settings }: Taken): Promise<Ending> {
  const { place, probe, logFile, supervision, sudoUser } = installation
  const account = sudoUser === undefined || sudoUser === 'root' ? undefined : await accountOf(sudoUser)
  return {
    host: settings.controller,
    home: place.home,
    answerFile: source.from === 'file' ? source.file : ((await answerFiles(place)).at(-1) ?? ''),
    hasDemo: settings.hasDemo,
    accelerator: await probe().catch(() => 'tcg' as const),
    logFile,
    supervision: supervision.kind,
    program: place.program,
    commands: commandLines(await lookAtCommands(place)),
    ...(account && { copy: join(account.home, 'keystonerc_admin') }),
    ...((await mayWriteCloudsYaml(place)) && { cloudsYaml: place.cloudsYaml }),
  }
}
