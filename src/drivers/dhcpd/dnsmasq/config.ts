import { isIPv4 } from 'node:net'
import type { DhcpdConfig, DhcpdSubnet } from '../driver.ts'

export type Paths = { pid: string; hosts: string; options: string; names: string; log: string }

/** What a server is started with, and the files it reads again on SIGHUP. `problems`: what was left out. */
export type DnsmasqConfig = { argv: string[]; files: { hosts: string; options: string; names: string }; problems: string[] }

const word = (ip: string): number => ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)

type Net = { network: string; netmask: string; holds(ip: string): boolean }

/** An IPv4 CIDR; undefined: it is none. */
export function readNet(cidr: string): Net | undefined {
  const [ip = '', bits = ''] = cidr.split('/')
  if (!isIPv4(ip) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(word(ip) / size) * size
  const text = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
  return {
    network: text(first),
    netmask: text(2 ** 32 - size),
    holds: (other) => isIPv4(other) && word(other) >= first && word(other) < first + size,
  }
}

// Whatever a user can name goes through these: a line break in a name once rewrote a server's configuration (OSSA-2021-005).
const isName = (text: string) =>
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(text)
const isMac = (text: string) => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)

type Part = { net: Net; subnet: DhcpdSubnet; tag: string }

/** No `set:` here: dnsmasq 2.90 dies of it at the next SIGHUP once it has given out an address. The range sets the tag. */
function hostLines({ net, subnet }: Part): { lines: string[]; names: string[]; problems: string[] } {
  const usable = subnet.hosts.filter(
    ({ mac, ip, hostname }) => isMac(mac) && net.holds(ip) && (hostname === '' || isName(hostname)),
  )
  return {
    lines: usable.map(({ mac, ip, hostname }) => [mac, ip, ...(hostname === '' ? [] : [hostname])].join(',')),
    names: usable.flatMap(({ ip, hostname }) => (hostname === '' ? [] : `${ip} ${hostname}`)),
    problems: usable.length === subnet.hosts.length ? [] : ['An address entry makes no sense and was left out.'],
  }
}

function optionLines({ net, subnet, tag }: Part, config: DhcpdConfig): string[] {
  const { gatewayIp, dns, routes } = subnet
  const own = config.addresses.find(({ ip }) => net.holds(ip))?.ip
  const gateway = gatewayIp !== undefined && isIPv4(gatewayIp) ? gatewayIp : undefined
  const extra = routes.filter(({ destination, nexthop }) => readNet(destination) && isIPv4(nexthop))
  const classless = [
    ...extra.flatMap(({ destination, nexthop }) => [destination, nexthop]),
    ...(config.metadata && own ? ['169.254.169.254/32', own] : []),
    // A client that takes classless routes takes no other (RFC 3442): the default route is among them.
    ...(gateway ? ['0.0.0.0/0', gateway] : []),
  ]
  const servers = dns.filter((ip) => isIPv4(ip))
  const option = (text: string) => `tag:${tag},${text}`
  return [
    // Without a value dnsmasq keeps the option to itself instead of naming its own address.
    option(gateway ? `option:router,${gateway}` : 'option:router'),
    ...(servers.length > 0 ? [option(`option:dns-server,${servers.join(',')}`)] : []),
    // 249 is what Windows asks for.
    ...(classless.length > 0
      ? [option(`option:classless-static-route,${classless.join(',')}`), option(`249,${classless.join(',')}`)]
      : []),
  ]
}

/** A day, as neutron leases addresses. */
const leaseSeconds = 86_400

/** How dnsmasq serves this network. Pure. */
export function dnsmasqConfig(config: DhcpdConfig, paths: Paths): DnsmasqConfig {
  const parts = config.subnets.flatMap((subnet, index): Part[] => {
    const net = readNet(subnet.cidr)
    return net ? [{ net, subnet, tag: `subnet${index}` }] : []
  })
  const hosts = parts.map(hostLines)
  const domain = isName(config.domain) ? [`--domain=${config.domain}`, '--expand-hosts'] : []
  return {
    argv: [
      'dnsmasq',
      '--conf-file=/dev/null',
      '--no-hosts',
      '--no-resolv',
      '--bind-interfaces',
      `--interface=${config.device}`,
      '--except-interface=lo',
      // It reads what guests send: it need not be root for that.
      '--user=nobody',
      `--pid-file=${paths.pid}`,
      `--dhcp-hostsfile=${paths.hosts}`,
      `--dhcp-optsfile=${paths.options}`,
      `--addn-hosts=${paths.names}`,
      `--log-facility=${paths.log}`,
      '--leasefile-ro',
      '--dhcp-leasefile=/dev/null',
      '--dhcp-authoritative',
      // Addresses are given out by the controllers: asking whether somebody has one costs each guest three seconds.
      '--no-ping',
      `--dhcp-lease-max=${parts.reduce((sum, { subnet }) => sum + subnet.hosts.length, 0) > 1000 ? 65_536 : 1000}`,
      `--dhcp-option-force=option:mtu,${config.mtu}`,
      ...domain,
      ...parts.map(({ net, tag }) => `--dhcp-range=set:${tag},${net.network},static,${net.netmask},${leaseSeconds}s`),
    ],
    files: {
      hosts: text(hosts.flatMap(({ lines }) => lines)),
      options: text(parts.flatMap((part) => optionLines(part, config))),
      names: text(hosts.flatMap(({ names }) => names)),
    },
    problems: hosts.flatMap(({ problems }) => problems),
  }
}

const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('')
