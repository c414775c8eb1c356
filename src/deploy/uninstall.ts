import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'
import { accountOf } from './account.ts'
import { readText } from './files.ts'
import { answers, stopSwitch } from './openvswitch.ts'
import { answerFiles } from './outputs.ts'
import { mark, type Place, user } from './place.ts'
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

/** Ours is what works in the agent's state folder: QEMU, dnsmasq. */
const endProcesses = async ({ agentState }: Place): Promise<void> => {
  const ours = (await processes()).filter(
    ({ pid, argv }) => pid !== process.pid && argv.slice(1).some((word) => word.includes(`${agentState}/`)),
  )
  await end(
    ours.map(({ pid }) => pid),
    3000,
  )
}

const lines = (text: string) => text.split('\n').filter(Boolean)

async function removeNetwork({ place, exec }: UninstallNeeds): Promise<void> {
  for (const name of await ourNamespaces(exec)) await exec.attempt(['ip', 'netns', 'delete', name])
  if (await answers(exec))
    for (const bridge of await ourBridges(exec)) await exec.run(['ovs-vsctl', '--if-exists', 'del-br', bridge])
  await stopSwitch(place)
  for (const device of await ourDevices(exec)) await exec.attempt(['ip', 'link', 'delete', device])
}

async function ourNamespaces(exec: Exec): Promise<string[]> {
  const { stdout } = await exec.attempt(['ip', 'netns', 'list']).catch(() => ({ stdout: '' }))
  return lines(stdout)
    .map((one) => one.split(' ')[0] ?? '')
    .filter((name) => /^(qrouter|qdhcp)-[0-9a-f]{8}-/.test(name))
}

/** Bridges that carry our mark; those of others, also of the same name, stay. */
async function ourBridges(exec: Exec): Promise<string[]> {
  const { stdout } = await exec.attempt(['ovs-vsctl', '--format=json', '--columns=name,external_ids', 'list', 'Bridge'])
  const { data } = JSON.parse(stdout || '{"data":[]}') as { data: [string, ['map', [string, string][]]][] }
  return data.filter(([, [, ids]]) => ids.some(([key]) => key.startsWith('altostack'))).map(([name]) => name)
}

/** Taps are named after their port. */
async function ourDevices(exec: Exec): Promise<string[]> {
  const { stdout } = await exec.attempt(['ip', '-o', 'link', 'show', 'type', 'tun']).catch(() => ({ stdout: '' }))
  return lines(stdout).flatMap((one) => /^\d+: (tap[0-9a-f]{8}-[0-9a-f]{2})[:@]/.exec(one)?.[1] ?? [])
}

async function removeFiles({ place, exec, keepData, sudoUser }: UninstallNeeds): Promise<void> {
  const data = [place.config, place.state, place.agentState]
  for (const folder of [place.run, place.log, place.imageCache, ...(keepData ? [] : data)])
    await rm(folder, { recursive: true, force: true })
  await removeOutputs(place, sudoUser)
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
  for (const file of files) if ((await readText(file))?.startsWith(mark)) await rm(file)
  await removeIfEmpty(join(place.cloudsYaml, '..'))
}

const removeIfEmpty = async (folder: string): Promise<void> => {
  const left = await readdir(folder).catch(() => ['?'])
  if (left.length === 0) await rm(folder, { recursive: true })
}
