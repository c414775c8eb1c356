import type { Exec } from '../kit/exec/exec.ts'

/** A kind of distribution: how its packages are called and installed. */
export type Distribution = {
  name: 'apt' | 'dnf'
  packages: readonly string[]
  /** argv that tells by its code whether the package is there, and by its output where `says` is given. */
  installed(name: string): { argv: string[]; says?: string }
  refresh?: string[]
  install: string[]
}

/** What a host needs to run guests: emulator, switch, name and address server, packet filter. */
export const hostPackages = {
  apt: {
    x64: ['qemu-system-x86'],
    arm64: ['qemu-system-arm', 'qemu-efi-aarch64'],
    all: [
      'qemu-utils',
      'openvswitch-switch',
      'dnsmasq-base',
      'nftables',
      'iproute2',
      'iputils-arping',
      'conntrack',
      'ethtool',
      'procps',
      'logrotate',
      'openssl',
    ],
  },
  // Not tried on such a machine: Open vSwitch is in the NFV repository of CentOS and in Fedora's own.
  dnf: {
    x64: ['qemu-kvm'],
    arm64: ['qemu-kvm', 'edk2-aarch64'],
    all: [
      'qemu-img',
      'openvswitch',
      'dnsmasq',
      'nftables',
      'iproute',
      'iputils',
      'conntrack-tools',
      'ethtool',
      'procps-ng',
      'logrotate',
      'openssl',
    ],
  },
}

const apt = {
  name: 'apt' as const,
  installed: (name: string) => ({
    argv: ['dpkg-query', '-W', '-f', '$' + '{db:Status-Status}', name],
    says: 'installed',
  }),
  refresh: ['apt-get', 'update', '-qq'],
  install: ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'],
}

const dnf = {
  name: 'dnf' as const,
  installed: (name: string) => ({ argv: ['rpm', '-q', name] }),
  install: ['dnf', 'install', '-y', '-q', '--setopt=install_weak_deps=False'],
}

/** The distribution by the ID and ID_LIKE of os-release(5); undefined: none we can install on. */
export function distributionOf(
  osRelease: string,
  arch: string,
  image: Record<'apt' | 'dnf', readonly string[]>,
): Distribution | undefined {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, words = '']) => words.split(' '))
  const kind = ids.some((id) => id === 'debian' || id === 'ubuntu')
    ? apt
    : ids.some((id) => ['fedora', 'rhel', 'centos'].includes(id))
      ? dnf
      : undefined
  if (!kind) return undefined
  const { all, x64, arm64 } = hostPackages[kind.name]
  return { ...kind, packages: [...new Set([...all, ...(arch === 'arm64' ? arm64 : x64), ...image[kind.name]])] }
}

export async function missingPackages(exec: Exec, { packages, installed }: Distribution): Promise<string[]> {
  const isThere = await Promise.all(
    packages.map(async (name) => {
      const { argv, says } = installed(name)
      const { code, stdout } = await exec.attempt(argv).catch(() => ({ code: -1, stdout: '' }))
      return code === 0 && (says === undefined || stdout.trim() === says)
    }),
  )
  return packages.filter((_, index) => !isThere[index])
}

export async function installPackages(exec: Exec, distribution: Distribution, names: readonly string[]): Promise<void> {
  const options = { timeoutMs: 1_800_000, maxOutputBytes: 64 << 20, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  // A run that was killed while dpkg configured something leaves it half done.
  if (distribution.name === 'apt') await exec.run(['dpkg', '--configure', '-a'], options)
  if (distribution.refresh) await exec.run(distribution.refresh, options)
  await exec.run([...distribution.install, ...names], options)
}
