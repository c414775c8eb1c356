import { createReadStream } from 'node:fs'
import type { Exec } from '../../kit/exec/exec.ts'
import { openLinkClient } from '../../kit/link/client.ts'
import { silentLog } from '../../kit/log.ts'
import { hostsUp, openAdmin, readSecrets, until } from '../cloud.ts'
import type { JoinAsk, JoinLine } from '../join.ts'
import { type Place, ports } from '../place.ts'
import type { Step } from '../plan.ts'
import { quoted } from './ssh.ts'
import type { Target } from './state.ts'

export type HostNeeds = {
  place: Place
  exec: Exec
  /** Address of the controller. */
  controller: string
  fingerprint: string
  /** How long a host may be silent in one step. */
  timeoutMs: number
  /** Told each thing that was done on a host. */
  done: (text: string) => void
}

const packing = 'Packing the program'

/** What makes the others hosts of this cloud. They do not need each other: one that fails holds up none. */
export function hostSteps(targets: readonly Target[], needs: HostNeeds): Step[] {
  const { place, exec } = needs
  const packed = packedFile()
  const toCopy = targets.filter(({ seen }) => seen.program !== needs.fingerprint)
  const pack: Step = {
    name: packing,
    needs: ['Installing the program'],
    isDone: async () => false,
    apply: async () => {
      await exec.run(['tar', '-I', 'gzip -1', '-cf', packed, '-C', place.program, '.'], { timeoutMs: 120_000 })
    },
  }
  const copies = toCopy.map((target) => copying(target, packed, needs))
  return [
    ...(toCopy.length > 0 ? [pack] : []),
    ...copies,
    ...targets.flatMap((target) => joining(target, needs, toCopy.includes(target))),
  ]
}

/** The file of `packing`, which the run removes at its end. */
export const packedFile = (): string => `/var/tmp/altostack-program-${process.pid}.tar.gz`

const titleOf = ({ address }: Target, what: string) => `${address}: ${what}`

/** Beside the old one, then swapped: the program of a host is always whole. */
function copying(target: Target, packed: string, { place, timeoutMs }: HostNeeds): Step {
  const at = quoted(place.program)
  const command = [
    `rm -rf ${at}.new && mkdir -p ${at}.new && tar -xzf - -C ${at}.new`,
    `rm -rf ${at}.old && { [ ! -e ${at} ] || mv ${at} ${at}.old; } && mv ${at}.new ${at} && rm -rf ${at}.old`,
  ].join(' && ')
  return {
    name: titleOf(target, 'Copying the program'),
    needs: [packing],
    isDone: async () => false,
    async apply() {
      const { code, stderr } = await target.shell.run(command, { input: createReadStream(packed), timeoutMs })
      if (code !== 0) throw new Error(`copying the program ended with ${code}: ${stderr.trim().slice(-300)}`)
    },
  }
}

function joining(target: Target, needs: HostNeeds, isCopied: boolean): Step[] {
  const { place, controller } = needs
  const isUp = async () => (await hostsUp(await openAdmin(place, controller))).includes(target.seen.name)
  const prepare: Step = {
    name: titleOf(target, 'Preparing the host'),
    needs: ['Starting the cloud', ...(isCopied ? [titleOf(target, 'Copying the program')] : [])],
    isDone: async () => target.state === 'keep',
    apply: () => join(target, needs),
  }
  const wait: Step = {
    name: titleOf(target, 'Waiting for it to report'),
    needs: [prepare.name],
    isDone: () => isUp().catch(() => false),
    apply: () => until(isUp, 60, async () => `its agent does not report; see ${place.log}/agent.log there`),
  }
  return [prepare, wait]
}

/** Runs our program there, which does what is missing; a token lets it get a key of its own. */
async function join(target: Target, { place, controller, timeoutMs, done }: HostNeeds): Promise<void> {
  const secrets = await readSecrets(place)
  if (!secrets?.linkCertificate) throw new Error(`${place.secretsFile} has no certificate`)
  const { linkCertificate: certificate, linkKey: key } = secrets
  const client = openLinkClient({ url: `https://127.0.0.1:${ports.link}`, certificate, key, host: '', log: silentLog })
  try {
    const { token } = (await client.call('invite', { host: target.seen.name })) as { token: string }
    const ask: JoinAsk = {
      name: target.seen.name,
      controller: `https://${controller}:${ports.link}`,
      certificate,
      token,
      config: target.config,
    }
    const failures: string[] = []
    const onLine = (line: string) => {
      const said = JSON.parse(line) as JoinLine
      if (said.error !== undefined) failures.push(`${said.step}: ${said.error}`)
      else if (said.changed) done(`${target.address}: ${said.step}`)
    }
    const { code, stderr } = await target.shell.run(`${quoted(`${place.program}/bin/packstack`)} --join`, {
      input: JSON.stringify(ask),
      timeoutMs,
      onLine,
    })
    if (code !== 0) throw new Error(failures.join('; ') || stderr.trim().slice(-300) || `it ended with ${code}`)
  } finally {
    client.close()
  }
}
