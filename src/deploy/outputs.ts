import { chown, copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { accountOf } from './account.ts'
import { answerFileName, isAnswerFileName } from './answers/write.ts'
import { cloudsYaml, keystonerc } from './credentials.ts'
import { exists, isWritten, readText, type Written, write } from './files.ts'
import { mark, type Place } from './place.ts'
import type { Secrets } from './secrets.ts'

export type OutputNeeds = {
  place: Place
  host: string
  region: string
  secrets: Secrets
  hasDemo: boolean
  /** Text of an answer file to leave in root's home; none: the answers came from a file already. */
  answers?: string
  sudoUser?: string
}

/** Files for people and their clients, in root's home and where clients look. */
const files = ({ place, secrets, hasDemo, ...where }: OutputNeeds): Written[] => [
  {
    path: join(place.home, 'keystonerc_admin'),
    text: keystonerc({ name: 'admin', password: secrets.adminPassword }, where),
    mode: 0o600,
  },
  ...(hasDemo
    ? [
        {
          path: join(place.home, 'keystonerc_demo'),
          text: keystonerc({ name: 'demo', password: secrets.demoPassword }, where),
          mode: 0o600,
        },
      ]
    : []),
]

/** Somebody else's clouds.yaml is left as it is. */
export const mayWriteCloudsYaml = async ({ cloudsYaml }: Place): Promise<boolean> => {
  const there = await readText(cloudsYaml)
  return there === undefined || there.startsWith(mark)
}

const cloudsFile = ({ place, secrets, ...where }: OutputNeeds): Written => ({
  path: place.cloudsYaml,
  text: cloudsYaml(secrets.adminPassword, secrets.demoPassword, where),
  mode: 0o600,
})

/** Answer files of ours in root's home, the newest last. */
export async function answerFiles({ home }: Place): Promise<string[]> {
  const names = (await readdir(home).catch(() => [])).filter(isAnswerFileName).sort()
  const texts = await Promise.all(names.map((name) => readText(join(home, name))))
  return names.filter((_, index) => texts[index]?.startsWith(mark)).map((name) => join(home, name))
}

const isLeft = async ({ place, answers }: OutputNeeds): Promise<boolean> => {
  const last = (await answerFiles(place)).at(-1)
  return answers === undefined || (last !== undefined && (await readText(last)) === answers)
}

const copyFor = async ({ sudoUser }: OutputNeeds) => {
  const account = sudoUser === undefined || sudoUser === 'root' ? undefined : await accountOf(sudoUser)
  return account && { ...account, path: join(account.home, 'keystonerc_admin') }
}

export async function areOutputsThere(needs: OutputNeeds): Promise<boolean> {
  if (!(await isLeft(needs))) return false
  if ((await mayWriteCloudsYaml(needs.place)) && !(await isWritten(cloudsFile(needs)))) return false
  const copy = await copyFor(needs)
  if (copy && !(await exists(copy.path))) return false
  return (await Promise.all(files(needs).map(isWritten))).every(Boolean)
}

export async function writeOutputs(needs: OutputNeeds): Promise<void> {
  for (const file of files(needs)) await write(file)
  if (await mayWriteCloudsYaml(needs.place)) await write(cloudsFile(needs))
  const copy = await copyFor(needs)
  if (copy) {
    await copyFile(join(needs.place.home, 'keystonerc_admin'), copy.path)
    await chown(copy.path, copy.uid, copy.gid)
  }
  if (needs.answers !== undefined && !(await isLeft(needs)))
    await write({ path: join(needs.place.home, answerFileName(new Date())), text: needs.answers, mode: 0o600 })
}
