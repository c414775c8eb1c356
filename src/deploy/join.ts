import { rm } from 'node:fs/promises'
import { explainError } from '../kit/errors.ts'
import { openLinkClient } from '../kit/link/client.ts'
import { silentLog } from '../kit/log.ts'
import { isWritten, readText, write } from './files.ts'
import type { Installation } from './installation.ts'
import { carryOut, type Step } from './plan.ts'
import { stepNeeds } from './run.ts'
import { agentSecretsText, type Secrets } from './secrets.ts'
import { compilation, daemonsStep, folders, packages, rotation, switchStep } from './steps.ts'
import { supervision } from './supervision/choose.ts'

/** What a host is told on standard input of `packstack --join`. */
export type JoinAsk = {
  name: string
  /** `https://controller:8781` */
  controller: string
  certificate: string
  token: string
  /** Text of its configuration. */
  config: string
}

/** What it answers, a line of JSON for each step. */
export type JoinLine = { step: string; changed?: boolean; error?: string }

/** Makes this machine a host of the cloud that asks for it: the same steps as on the controller's, but for the controller. */
export async function joinCloud(installation: Installation, ask: JoinAsk, say: (line: JoinLine) => void): Promise<number> {
  const daemonNames = ['agent'] as const
  const local = { ...installation, daemonNames, supervision: supervision(installation.place, installation.exec, daemonNames) }
  const needs = stepNeeds(local, ask.controller)
  const ready = ['Installing packages', 'Compiling the program', 'Writing configuration']
  const steps = [
    packages(needs),
    folders(needs),
    compilation(needs),
    joining(installation, ask),
    configuration(installation, ask),
  ]
  const { failed } = await carryOut(
    [...steps, switchStep(needs, ready), daemonsStep(needs, [...ready, 'Starting Open vSwitch'])],
    {
      done: ({ name }, changed) => say({ step: name, changed }),
      failed: ({ name }, error) => say({ step: name, error: explainError(error) }),
    },
  )
  return failed === 0 ? 0 : 1
}

/** The key is asked for once, by the token; a host that the controller still lets in keeps its key. */
function joining({ place }: Installation, { name, controller: url, certificate, token }: JoinAsk): Step {
  const link = (key: string) => openLinkClient({ url, certificate, key, host: name, log: silentLog })
  return {
    name: 'Joining the cloud',
    needs: ['Making user and folders'],
    async isDone() {
      const { linkKey, linkCertificate } = JSON.parse((await readText(place.agentSecretsFile)) ?? '{}') as Partial<Secrets>
      if (linkKey === undefined || linkCertificate !== certificate) return false
      const client = link(linkKey)
      return client
        .call('hello')
        .then(
          () => true,
          () => false,
        )
        .finally(client.close)
    },
    async apply() {
      const client = link('')
      try {
        const { key } = (await client.join('host', { token })) as { key: string }
        await write({
          path: place.agentSecretsFile,
          text: agentSecretsText({ linkKey: key, linkCertificate: certificate }),
          mode: 0o600,
        })
        // An agent is current when it is younger than its configuration: with a new key it must start anew.
        await rm(place.configFile, { force: true })
      } finally {
        client.close()
      }
    },
  }
}

function configuration({ place }: Installation, { config }: JoinAsk): Step {
  const files = [
    { path: place.logrotate, text: rotation(place), mode: 0o644 },
    { path: place.configFile, text: config, mode: 0o644 },
  ]
  return {
    name: 'Writing configuration',
    needs: ['Joining the cloud'],
    isDone: async () => (await Promise.all(files.map(isWritten))).every(Boolean),
    async apply() {
      for (const file of files) if (!(await isWritten(file))) await write(file)
    },
  }
}
