import { chown, copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { accountOf } from './account.ts'
import { type Accelerator, answerFile, answerFileName, isAnswerFileName } from './answers.ts'
import { cloudsYaml, keystonerc } from './credentials.ts'
import { exists, isWritten, readText, type Written, write } from './files.ts'
import { mark, type Place } from './place.ts'
import type { Secrets } from './secrets.ts'

export type OutputNeeds = { place: Place; host: string; secrets: Secrets; accelerator: Accelerator; sudoUser?: string }

/** Files for people and their clients, in root's home and where clients look. */
const files = ({ place, host, secrets }: OutputNeeds): Written[] => [
  {
    path: join(place.home, 'keystonerc_admin'),
    text: keystonerc({ name: 'admin', password: secrets.adminPassword }, host),
    mode: 0o600,
  },
  {
    path: join(place.home, 'keystonerc_demo'),
    text: keystonerc({ name: 'demo', password: secrets.demoPassword }, host),
    mode: 0o600,
  },
]

/** Somebody else's clouds.yaml is left as it is. */
export const mayWriteCloudsYaml = async ({ cloudsYaml }: Place): Promise<boolean> => {
  const there = await readText(cloudsYaml)
  return there === undefined || there.startsWith(mark)
}

const cloudsFile = ({ place, host, secrets }: OutputNeeds): Written => ({
  path: place.cloudsYaml,
  text: cloudsYaml(secrets.adminPassword, secrets.demoPassword, host),
  mode: 0o600,
})

const answersText = ({ host, secrets, accelerator }: OutputNeeds) => answerFile({ host, ...secrets, accelerator })

/** Answer files of ours in root's home, the newest last. */
export async function answerFiles({ home }: Place): Promise<string[]> {
  const names = (await readdir(home).catch(() => [])).filter(isAnswerFileName).sort()
  const texts = await Promise.all(names.map((name) => readText(join(home, name))))
  return names.filter((_, index) => texts[index]?.startsWith(mark)).map((name) => join(home, name))
}

const copyFor = async ({ sudoUser }: OutputNeeds) => {
  const account = sudoUser === undefined || sudoUser === 'root' ? undefined : await accountOf(sudoUser)
  return account && { ...account, path: join(account.home, 'keystonerc_admin') }
}

export async function areOutputsThere(needs: OutputNeeds): Promise<boolean> {
  const answers = (await answerFiles(needs.place)).at(-1)
  if (answers === undefined || (await readText(answers)) !== answersText(needs)) return false
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
  const last = (await answerFiles(needs.place)).at(-1)
  if (last === undefined || (await readText(last)) !== answersText(needs))
    await write({ path: join(needs.place.home, answerFileName(new Date())), text: answersText(needs), mode: 0o600 })
}
