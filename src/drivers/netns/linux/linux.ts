import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explainError } from '../../../kit/errors.ts'
import type { Exec } from '../../../kit/exec/exec.ts'
import type { Log } from '../../../kit/log.ts'
import type { Netns, NsShape } from '../driver.ts'
import { openDoors } from './doors.ts'
import { linkLines, newAddresses, readLinks, readRoutes, routeLines, type Seen } from './links.ts'
import { type Floating, mapName, natRules, tableName } from './nat.ts'

export type LinuxNetnsOptions = {
  exec: Exec
  log: Log
  /** A namespace of ours has a file of its name here, made before it and deleted after it. */
  stateDir: string
}

const names = /^(qrouter|qdhcp)-[0-9a-zA-Z-]+$/

/** Network namespaces by iproute2 and nftables. */
export function openLinuxNetns({ exec, log, stateDir }: LinuxNetnsOptions): Netns {
  const marks = join(stateDir, 'namespaces')
  const doors = openDoors()
  const ip = (namespace: string | undefined, args: string[]) => exec.run(['ip', ...(namespace ? ['-n', namespace] : []), ...args])
  const batch = async (namespace: string, lines: string[]) => {
    if (lines.length > 0) await exec.run(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
  }
  const inside = (namespace: string, argv: string[], input?: string) =>
    exec.attempt(['ip', 'netns', 'exec', namespace, ...argv], input === undefined ? {} : { input })

  const existing = async (): Promise<Set<string>> => new Set(await readdir('/run/netns').catch(() => []))
  const marked = () => readdir(marks).catch((): string[] => [])
  const present = async () => {
    const here = await existing()
    return (await marked()).filter((name) => here.has(name))
  }

  const observe = async (name: string): Promise<Seen> => {
    const [addresses, routes] = await Promise.all([ip(name, ['-j', 'addr', 'show']), ip(name, ['-j', 'route', 'show'])])
    const links = readLinks(addresses)
    const six = links.some((link) => link.addresses.some((address) => address.ip.includes(':') && address.ip !== '::1'))
    const routes6 = six ? await ip(name, ['-6', '-j', 'route', 'show']) : ''
    return { links, routes: [...readRoutes(routes), ...readRoutes(routes6)] }
  }

  const ensure = async (name: string): Promise<void> => {
    if (!names.test(name)) throw new Error(`${name} is no name for a namespace of ours`)
    if ((await existing()).has(name)) {
      if ((await marked()).includes(name)) return
      throw new Error(`a namespace ${name} that is not ours is in the way`)
    }
    await mkdir(marks, { recursive: true, mode: 0o700 })
    await writeFile(join(marks, name), '')
    await exec.run(['ip', 'netns', 'add', name])
  }

  /** Takes devices that appeared on the host. Those of the same name inside are dead: the switch that made them is gone. */
  const take = async (name: string, devices: string[], seen: Seen): Promise<boolean> => {
    const alive = new Set(seen.links.filter((link) => link.carrier).map((link) => link.device))
    const doubtful = devices.filter((device) => !alive.has(device))
    if (doubtful.length === 0) return false
    const host = new Set(readLinks(await ip(undefined, ['-j', 'link', 'show'])).map((link) => link.device))
    const found = doubtful.filter((device) => host.has(device))
    for (const device of found) {
      if (seen.links.some((link) => link.device === device)) await ip(name, ['link', 'del', 'dev', device])
      await ip(undefined, ['link', 'set', 'dev', device, 'netns', name])
    }
    return found.length > 0
  }

  const settings = ({ forwards }: NsShape) => [
    `net.ipv4.ip_forward=${forwards ? 1 : 0}`,
    `net.ipv6.conf.all.forwarding=${forwards ? 1 : 0}`,
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
    // Answer only for addresses of the link that was asked: two networks of one router stay apart.
    'net.ipv4.conf.all.arp_ignore=1',
    'net.ipv4.conf.all.arp_announce=2',
    'net.ipv6.conf.all.accept_ra=0',
    'net.ipv6.conf.default.accept_ra=0',
  ]

  const configure = async (name: string, shape: NsShape) => {
    const wanted = settings(shape)
    const keys = wanted.map((setting) => setting.split('=')[0]!)
    const { stdout } = await inside(name, ['sysctl', '-n', ...keys])
    const same = stdout.trim().split('\n').join(' ') === wanted.map((setting) => setting.split('=')[1]).join(' ')
    if (!same) await inside(name, ['sysctl', '-qw', ...wanted])
  }

  type NftMap = { nftables?: { map?: { elem?: [string, string][] } }[] }
  const floatingNow = async (name: string): Promise<Floating[]> => {
    const { code, stdout } = await inside(name, ['nft', '-j', 'list', 'map', 'ip', tableName, mapName])
    if (code !== 0) return []
    const elements = (JSON.parse(stdout) as NftMap).nftables?.flatMap(({ map }) => map?.elem ?? []) ?? []
    return elements.map(([floatingIp, fixedIp]) => ({ floatingIp, fixedIp }))
  }

  /** A floating address that went elsewhere takes its connections along (OSSN-0020). */
  const cut = async (name: string, gone: Floating[]) => {
    for (const { floatingIp } of gone) {
      await inside(name, ['conntrack', '-D', '-f', 'ipv4', '--orig-dst', floatingIp])
      await inside(name, ['conntrack', '-D', '-f', 'ipv4', '--reply-dst', floatingIp])
    }
  }

  const translate = async (name: string, shape: NsShape) => {
    const rules = natRules(shape)
    // A namespace has rules from its first day or never.
    if (!rules) return
    const current = await inside(name, ['nft', 'list', 'table', 'ip', tableName])
    if (current.code === 0 && current.stdout.includes(`chain ${rules.version} {`)) return
    const before = current.code === 0 ? await floatingNow(name) : []
    const { code, stderr } = await inside(name, ['nft', '-f', '-'], rules.text)
    if (code !== 0) throw new Error(`nft in ${name}: ${stderr.trim().slice(-600)}`)
    const now = shape.nat?.floating ?? []
    await cut(
      name,
      before.filter((old) => !now.some((one) => one.floatingIp === old.floatingIp && one.fixedIp === old.fixedIp)),
    )
  }

  const announce = async (name: string, addresses: { device: string; ip: string }[]) => {
    // arping waits a second for answers that nobody gives; nothing here depends on its end.
    for (const { device, ip: address } of addresses) {
      void inside(name, ['arping', '-U', '-c', '2', '-w', '2', '-I', device, address]).catch((error) =>
        log.debug({ namespace: name, address, error: explainError(error) }, 'not announced'),
      )
    }
  }

  const holder = async (device: string): Promise<string | undefined> => {
    for (const name of await present()) {
      const { code } = await exec.attempt(['ip', '-n', name, 'link', 'show', 'dev', device])
      if (code === 0) return name
    }
    return undefined
  }
  /** Who holds a device, as the last look at each namespace told; asked for each port in each round. */
  const holders = new Map<string, string>()

  return {
    // A mark without namespace is told too: what is not wanted any more then goes by the same way.
    list: marked,
    async shape(name, shape) {
      await ensure(name)
      const devices = shape.links.map((link) => link.device)
      let seen = await observe(name)
      if (await take(name, devices, seen)) seen = await observe(name)
      for (const device of devices) {
        if (seen.links.some((link) => link.device === device)) holders.set(device, name)
        else if (holders.get(device) === name) holders.delete(device)
      }
      const lines = linkLines(shape, seen)
      // Where links are as they should be, what came before them was done.
      if (lines.length > 0) await configure(name, shape)
      await translate(name, shape)
      await batch(name, lines)
      const fresh = newAddresses(shape, seen).filter(({ device }) => seen.links.some((link) => link.device === device))
      const { links } = seen
      const { routes } = lines.length > 0 ? await observe(name) : seen
      await batch(name, routeLines(shape, { links, routes }))
      await announce(name, fresh)
      return { missing: devices.filter((device) => !links.some((link) => link.device === device)) }
    },
    async remove(name) {
      await doors.shut(name)
      for (const [device, by] of holders) if (by === name) holders.delete(device)
      if ((await present()).includes(name)) {
        // A namespace takes its devices along when it goes, and the switch would not make them again.
        const { links } = await observe(name)
        for (const { device } of links) {
          if (device !== 'lo')
            await exec.attempt(['ip', '-n', name, 'link', 'set', 'dev', device, 'down', 'netns', String(process.pid)])
        }
        await exec.run(['ip', 'netns', 'del', name])
      }
      await rm(join(marks, name), { force: true })
    },
    listen: (name, at, connected) => doors.open(name, at, connected),
    async holds(device) {
      if (holders.has(device)) return true
      const found = await holder(device)
      if (found) holders.set(device, found)
      return found !== undefined
    },
    async inventory() {
      return { namespaces: await present(), problems: [] }
    },
    close: () => doors.close(),
  }
}
