import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { probeDatapath } from '../drivers/vswitch/ovs/ovs.ts'
import { returnUplinks } from '../drivers/vswitch/ovs/uplinks.ts'
import type { Exec } from '../kit/exec/exec.ts'
import { accountOf } from './account.ts'
import { unlinkCommands } from './commands.ts'
import { readText } from './files.ts'
import { answers, stopSwitch } from './openvswitch.ts'
import { answerFiles } from './outputs.ts'
import { mark, outside, type Place, user } from './place.ts'
import type { Step } from './plan.ts'
import { end, processes } from './supervision/processes.ts'
import type { Supervision } from './supervision/supervision.ts'

export type UninstallNeeds = { place: Place; exec: Exec; supervision: Supervision; keepData: boolean; sudoUser?: string }

/** Takes away, in this order, everything that was made; again and after a kill as well. Packages stay: others may use them. */
export const uninstallSteps = (needs: UninstallNeeds): Step[] => [
  always('Stopping controller and agent', [], async () => {
    await needs.supervision.stop()
    await needs.supervision.remove()
  }),
  always('Ending guests and their servers', ['Stopping controller and agent'], () => endProcesses(needs.place)),
  always('Removing bridges, namespaces and rules', ['Ending guests and their servers'], () => removeNetwork(needs)),
  always('Removing files and user', ['Removing bridges, namespaces and rules'], () => removeFiles(needs)),
]

const always = (name: string, after: readonly string[], apply: () => Promise<void>): Step => ({
  name,
  needs: after,
  isDone: async () => false,
  apply,
})

/** Ours is what works in the agent's folders: QEMU, dnsmasq. */
const endProcesses = async ({ agentState, dhcp }: Place): Promise<void> => {
  const isOurs = (word: string) => word.includes(`${agentState}/`) || word.includes(`${dhcp}/`)
  const ours = (await processes()).filter(({ pid, argv }) => pid !== process.pid && argv.slice(1).some(isOurs))
  await end(
    ours.map(({ pid }) => pid),
    3000,
  )
}

/** What the drivers marked as theirs; the same names of others stay. */
async function removeNetwork({ place, exec }: UninstallNeeds): Promise<void> {
  await returnCards(place, exec)
  await removeNamespaces(place, exec)
  if (await answers(exec)) await removeFromSwitch(exec)
  // A bridge that was there before us stays; our address on it goes.
  await exec.attempt(['ip', 'address', 'delete', outside.address, 'dev', outside.bridge]).catch(() => undefined)
  await stopSwitch(place)
  for (const device of await ourTaps(exec)) await exec.attempt(['ip', 'link', 'delete', device])
  await exec.attempt(['nft', 'delete', 'table', 'netdev', 'altostack']).catch(() => undefined)
}

/** Network cards leave our bridges with the addresses they came with. */
async function returnCards({ agentState }: Place, exec: Exec): Promise<void> {
  const socket = (await answers(exec)) ? '/run/openvswitch/db.sock' : undefined
  await returnUplinks({ exec, socket, datapath: await probeDatapath(), stateDir: agentState })
}

/** A namespace of ours has a file of its name in the agent's state. */
async function removeNamespaces({ agentState }: Place, exec: Exec): Promise<void> {
  const marks = await readdir(join(agentState, 'namespaces'), { recursive: true }).catch(() => [])
  for (const path of marks.filter((one) => /^(qrouter|qdhcp)-/.test(basename(one)))) {
    await exec.attempt(['ip', 'netns', 'delete', basename(path)])
    await rm(join(agentState, 'namespaces', path))
  }
}

type Marked = { data: [name: string, ids: ['map', [string, string][]]][] }

/** Bridges and ports whose external_ids have a key of ours. */
async function removeFromSwitch(exec: Exec): Promise<void> {
  const ours = async (table: string) => {
    const text = await exec.run(['ovs-vsctl', '--format=json', '--columns=name,external_ids', 'list', table])
    const { data } = JSON.parse(text) as Marked
    return data.filter(([, [, ids]]) => ids.some(([key]) => key.startsWith('altostack'))).map(([name]) => name)
  }
  for (const bridge of await ours('Bridge')) await exec.run(['ovs-vsctl', '--if-exists', 'del-br', bridge])
  for (const port of await ours('Port')) await exec.run(['ovs-vsctl', '--if-exists', 'del-port', port])
}

type Link = { ifname: string; ifalias?: string }

async function ourTaps(exec: Exec): Promise<string[]> {
  const text = await exec.run(['ip', '-j', 'link', 'show']).catch(() => '[]')
  const found = JSON.parse(text || '[]') as Link[]
  return found
    .filter(({ ifname, ifalias }) => ifalias?.startsWith('altostack:') || ifname?.startsWith('atap-'))
    .map(({ ifname }) => ifname)
}

async function removeFiles({ place, exec, keepData, sudoUser }: UninstallNeeds): Promise<void> {
  const data = [place.config, place.state, place.agentState]
  for (const folder of [place.run, place.dhcp, place.log, place.imageCache, ...(keepData ? [] : data)])
    await rm(folder, { recursive: true, force: true })
  await removeOutputs(place, sudoUser)
  await removeLogs(place)
  await unlinkCommands(place)
  // The state belongs to the user by number: one without the other would be a stranger's.
  if (!keepData && (await accountOf(user))) await exec.run(['userdel', user])
  for (const suffix of ['.new', '.old', '']) await rm(`${place.program}${suffix}`, { recursive: true, force: true })
}

async function removeOutputs(place: Place, sudoUser: string | undefined): Promise<void> {
  const account = sudoUser === undefined ? undefined : await accountOf(sudoUser)
  const homes = [place.home, ...(account ? [account.home] : [])]
  const files = [
    ...homes.flatMap((home) => ['keystonerc_admin', 'keystonerc_demo'].map((name) => join(home, name))),
    ...(await answerFiles(place)),
    place.cloudsYaml,
    place.logrotate,
  ]
  for (const file of files) if ((await readText(file))?.includes(mark)) await rm(file)
  await removeIfEmpty(join(place.cloudsYaml, '..'))
}

/** Logs of runs that begin with our mark; real packstack's stay. */
async function removeLogs({ runs }: Place): Promise<void> {
  for (const name of await readdir(runs).catch(() => []))
    if ((await readText(join(runs, name, 'openstack-setup.log')))?.startsWith(mark))
      await rm(join(runs, name), { recursive: true })
  const left = await readdir(runs).catch(() => [])
  if (left.join() === 'latest') await rm(runs, { recursive: true })
}

const removeIfEmpty = async (folder: string): Promise<void> => {
  const left = await readdir(folder).catch(() => ['?'])
  if (left.length === 0) await rm(folder, { recursive: true })
}
