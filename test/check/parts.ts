import { imagePackages } from '../../images/packages.ts'
import { hostPackages } from '../../src/deploy/packages.ts'

/** What the check runs, in this order. A part is a command; it is passed when it ends with 0 within its time. */
export type Part = {
  name: string
  argv: readonly string[]
  /** Only `--all` and `--only` run it: it takes real programs, root, or minutes. */
  slow?: true
  needsRoot?: true
  /** Debian packages it needs beyond those of a bare machine; installed when missing. */
  packages?: readonly string[]
  /** Default 180. The part is killed after it. */
  limitSeconds?: number
  /** It mostly waits, and changes nothing of this machine: it goes on beside the parts that follow. */
  isBeside?: true
  /** It measures, or changes this machine: nothing goes on beside it. */
  isAlone?: true
}

const dataPlane = [...hostPackages.apt.all, ...hostPackages.apt.x64, 'iputils-ping']
const image = imagePackages.apt
const client = ['python3-openstackclient', 'openssh-client']

const script = (folder: string, rest: Omit<Part, 'argv' | 'slow'>): Part => ({
  ...rest,
  slow: true,
  argv: ['node', `test/${folder}/run.ts`],
})

export const parts: readonly Part[] = [
  { name: 'types', argv: ['tsc', '--noEmit'] },
  { name: 'lint', argv: ['biome', 'ci', 'src', 'test', 'bin', 'images'] },
  { name: 'imports', argv: ['node', 'test/imports/run.ts'] },
  { name: 'docs', argv: ['node', 'src/main/docs.ts', '--check'] },
  { name: 'tests', argv: ['node', 'test/run.ts'], limitSeconds: 300 },
  script('vm/article', {
    name: 'article',
    needsRoot: true,
    packages: [...dataPlane, ...image, 'openssh-server', 'openssh-client', 'ethtool', 'tcpdump', 'curl', 'procps'],
    limitSeconds: 1200,
    isBeside: true,
  }),
  script('postgres', { name: 'postgres', needsRoot: true, packages: ['postgresql'], limitSeconds: 600 }),
  script('vm/hypervisor', { name: 'hypervisor', needsRoot: true, packages: [...dataPlane, ...image], limitSeconds: 300 }),
  script('vm/migration', {
    name: 'migration',
    needsRoot: true,
    packages: [...dataPlane, ...image, 'openssh-client'],
    limitSeconds: 600,
  }),
  script('vm/network', { name: 'network', needsRoot: true, packages: dataPlane, limitSeconds: 500 }),
  script('vm/uplinks', { name: 'uplinks', needsRoot: true, packages: [...dataPlane, 'ethtool'], limitSeconds: 240 }),
  {
    name: 'cards',
    argv: ['node', 'test/vm/uplinks/deployed.ts'],
    slow: true,
    needsRoot: true,
    packages: [...dataPlane, 'openssh-server', 'openssh-client', 'ethtool'],
    limitSeconds: 400,
  },
  script('vm/ldap', { name: 'ldap', packages: ['slapd', 'ldap-utils', 'openssl', 'python3-openstackclient'], limitSeconds: 200 }),
  script('clients', { name: 'clients', needsRoot: true, packages: client, limitSeconds: 400 }),
  {
    name: 'walk',
    slow: true,
    argv: ['node', 'test/surface/run.ts', '--clients'],
    packages: ['python3-openstackclient', 'python3-glanceclient', 'python3-keystoneclient'],
  },
  script('clients/tempest', { name: 'tempest', packages: ['tempest'], limitSeconds: 400 }),
  script('load', { name: 'load', limitSeconds: 300, isAlone: true }),
  script('allinone', {
    name: 'allinone',
    needsRoot: true,
    packages: [...dataPlane, ...image, ...client],
    isAlone: true,
    limitSeconds: 600,
  }),
  script('vm/hosts', {
    name: 'hosts',
    needsRoot: true,
    packages: [...dataPlane, ...image, 'openssh-server', 'openssh-client', 'ethtool'],
    isAlone: true,
    limitSeconds: 450,
  }),
  script('vm/first-guest', {
    name: 'first-guest',
    needsRoot: true,
    packages: [...dataPlane, ...image, ...client],
    isAlone: true,
    limitSeconds: 400,
  }),
  script('crash', {
    name: 'crash',
    needsRoot: true,
    packages: [...dataPlane, ...image, ...client],
    isAlone: true,
    limitSeconds: 600,
  }),
]

/** The parts that were asked for, or what is wrong with the question. */
export function choose(ask: { all: boolean; only: readonly string[] }, from: readonly Part[] = parts): Part[] | string {
  const unknown = ask.only.filter((name) => !from.some((part) => part.name === name))
  if (unknown.length > 0) return `no part is called ${unknown.join(', ')}; there are: ${from.map(({ name }) => name).join(' ')}`
  if (ask.only.length > 0) return from.filter(({ name }) => ask.only.includes(name))
  return from.filter(({ slow }) => ask.all || !slow)
}
