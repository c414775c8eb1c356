import { type CardsWanted, cardTroubles, type HostProblem } from './cards.ts'
import type { Seen } from './look.ts'

export type JudgeNeeds = {
  /** Processor kind of the controller: its program is copied. */
  arch: string
  /** Seconds since 1970, here. */
  now: number
  cards: CardsWanted
}

const neededMb = 512
const neededFreeMb = 2048

/** Everything on a host that stands in the way. */
export function judgeHost(seen: Seen, { arch, now, cards }: JudgeNeeds): HostProblem[] {
  const problems: HostProblem[] = []
  const isWrong = (isSo: boolean, what: string, remedy: string) => {
    if (isSo) problems.push({ what, remedy })
  }
  isWrong(seen.uid !== 0, 'we are not root there', 'Let root in by key.')
  isWrong(
    !/^ID(_LIKE)?=.*(debian|ubuntu|fedora|rhel|centos)/m.test(seen.osRelease),
    'it has neither apt nor dnf',
    'Use Debian 12.',
  )
  isWrong(seen.arch !== arch, `its processor is ${seen.arch}, the controller's ${arch}`, 'Use hosts of one kind.')
  isWrong(seen.availableMb < neededMb, `${seen.availableMb} MiB of memory are available, ${neededMb} are needed`, 'Add memory.')
  isWrong(seen.freeMb < neededFreeMb, `${seen.freeMb} MiB are free in /var/lib, ${neededFreeMb} are needed`, 'Make room.')
  isWrong(
    Math.abs(seen.now - now) > 120,
    `its clock is ${Math.round(seen.now - now)} s from the controller's`,
    'Set it: apt-get install chrony',
  )
  isWrong(!seen.hasTun, 'there is no /dev/net/tun', 'modprobe tun')
  isWrong(!seen.hasNamespaces, 'network namespaces cannot be made', 'Use a machine, or a container with all capabilities.')
  isWrong(seen.isController, 'it carries a cloud of its own', 'packstack --uninstall there, if it is not needed.')
  return [...problems, ...cardTroubles(seen.cards, cards)]
}

/** Names that more than one host has: the cloud would take them for one. */
export function doubles(names: readonly { address: string; name: string }[]): string[] {
  const by = new Map<string, string[]>()
  for (const { address, name } of names) by.set(name, [...(by.get(name) ?? []), address])
  return [...by]
    .filter(([, all]) => all.length > 1)
    .map(([name, all]) => `${all.join(' and ')} have one name, ${name}; give them different ones: hostnamectl set-hostname`)
}
