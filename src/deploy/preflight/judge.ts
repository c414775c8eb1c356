/** What was found on the machine before anything was changed. */
export type Facts = {
  uid: number
  /** How packages are installed here; undefined: by nothing we know. */
  packager: 'apt' | 'dnf' | undefined
  osName: string
  arch: string
  availableMb: number
  freeMb: number
  /** Folder the disk was measured for. */
  freeAt: string
  /** Ports of ours that somebody else listens on. */
  takenPorts: number[]
  /** Newest file of the program, and now; seconds since 1970. */
  newestFile: number
  now: number
  missingPackages: string[]
  /** Why the package source does not answer; undefined: it does, or is not needed. */
  sourceTrouble?: string
  hasTun: boolean
  hasNamespaces: boolean
  /** Interfaces other than our bridge that carry addresses of the demo's external network. */
  overlaps: string[]
  host: string | undefined
  accelerator: 'kvm' | 'tcg' | 'unknown'
  /** none, half: files of ours without a running cloud; whole. */
  installation: 'none' | 'half' | 'whole'
  /** A user of our name that packstack did not make. */
  foreignUser?: string
}

export type Finding = { isProblem: boolean; what: string; remedy?: string }

const problem = (what: string, remedy: string): Finding => ({ isProblem: true, what, remedy })
const note = (what: string, remedy?: string): Finding => ({ isProblem: false, what, ...(remedy !== undefined && { remedy }) })

const neededMb = 1024
const neededFreeMb = 3072

/** Everything that stands in the way, and what is good to know; all of it at once. */
export const judge = (facts: Facts): Finding[] => [
  ...who(facts),
  ...size(facts),
  ...surroundings(facts),
  ...packages(facts),
  ...state(facts),
]

const who = ({ uid, packager, osName, arch }: Facts): Finding[] => [
  ...(uid === 0 ? [] : [problem('This is not run by root.', 'sudo ./packstack --allinone')]),
  ...(packager ? [] : [problem(`${osName} has neither apt nor dnf.`, 'Use Debian 12.')]),
  ...(packager === 'dnf' ? [note(`${osName}: packages are installed by dnf; this was not tried, Debian 12 was.`)] : []),
  ...(['x64', 'arm64'].includes(arch) ? [] : [problem(`Processors of kind ${arch} are not supported.`, 'Use x86-64 or arm64.')]),
]

const size = ({ availableMb, freeMb, freeAt }: Facts): Finding[] => [
  ...(availableMb >= neededMb
    ? []
    : [
        problem(
          `${availableMb} MiB of memory are available, ${neededMb} are needed.`,
          'Add memory, or stop what uses it: ps aux --sort=-rss | head',
        ),
      ]),
  ...(freeMb >= neededFreeMb
    ? []
    : [
        problem(
          `${freeMb} MiB are free in ${freeAt}, ${neededFreeMb} are needed.`,
          `Make room, or mount a bigger disk at ${freeAt}.`,
        ),
      ]),
]

const surroundings = ({ takenPorts, newestFile, now, hasTun, hasNamespaces, overlaps, host }: Facts): Finding[] => [
  ...takenPorts.map((port) =>
    problem(
      `Somebody else listens on port ${port}.`,
      `See who by: ss -ltnp 'sport = :${port}'; stop it, e.g. another OpenStack.`,
    ),
  ),
  ...(newestFile <= now + 120
    ? []
    : [
        problem(
          `The clock is wrong: it says ${iso(now)}, older than this program (${iso(newestFile)}).`,
          "date -s 'YYYY-MM-DD HH:MM', or start a time service.",
        ),
      ]),
  ...(hasTun ? [] : [problem('There is no /dev/net/tun.', 'modprobe tun; in a container, pass the device in.')]),
  ...(hasNamespaces
    ? []
    : [problem('Network namespaces cannot be made.', 'Run on a machine, or in a container with all capabilities.')]),
  ...overlaps.map((name) =>
    problem(
      `Interface ${name} has an address in 172.24.4.0/24, the demo's external network.`,
      `Renumber ${name}, or take its address away.`,
    ),
  ),
  ...(host ? [] : [problem('This machine has no address but loopback.', 'Configure a network interface.')]),
]

const packages = ({ missingPackages, sourceTrouble }: Facts): Finding[] => [
  ...(missingPackages.length > 0 ? [note(`Packages to install: ${missingPackages.join(' ')}.`)] : []),
  ...(sourceTrouble === undefined
    ? []
    : [problem(`The package source does not answer: ${sourceTrouble}`, 'Check network, name service and proxy: apt-get update')]),
]

const state = ({ accelerator, installation, foreignUser }: Facts): Finding[] => [
  ...(accelerator === 'kvm' ? [note('Guests run by KVM.')] : []),
  ...(accelerator === 'tcg' ? [note('KVM is not usable here: guests run in software emulation, about ten times slower.')] : []),
  ...(accelerator === 'unknown' ? [note('Whether KVM is usable will be seen when QEMU is installed.')] : []),
  ...(installation === 'half'
    ? [note('An earlier run came to no end: this one carries on.', './packstack --uninstall to begin anew')]
    : []),
  ...(foreignUser === undefined
    ? []
    : [problem(`There is a user altostack already, with home ${foreignUser}.`, 'Remove or rename it: userdel altostack')]),
]

const iso = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
