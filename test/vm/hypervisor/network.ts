import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Exec } from '../../../src/kit/exec/exec.ts'

/** Name of the one guest address that the network of this test hands out. */
export const guestIp = '10.77.0.5'
export const guestMac = 'fa:16:3e:00:77:05'
export const mtu = 1400
const gateway = '10.77.0.1'
const metadataIp = '169.254.169.254'

export type Tap = { device: string; close(): Promise<void> }

/** A tap with a DHCP server and a metadata service behind it, in the network namespace this process is in. */
export async function openNetwork(exec: Exec, dir: string, device: string, files: Record<string, string>): Promise<Tap> {
  await exec.run(['ip', 'link', 'set', 'lo', 'up'])
  await exec.run(['ip', 'tuntap', 'add', 'dev', device, 'mode', 'tap'])
  const served = await serveNetwork(exec, dir, device, files)
  return {
    device,
    async close() {
      await served.close()
      await exec.run(['ip', 'tuntap', 'del', 'dev', device, 'mode', 'tap'])
    },
  }
}

/** The same behind a device that is there. */
export async function serveNetwork(exec: Exec, dir: string, device: string, files: Record<string, string>): Promise<Tap> {
  const ip = (...args: string[]) => exec.run(['ip', ...args])
  await ip('addr', 'add', `${gateway}/24`, 'dev', device)
  await ip('addr', 'add', `${metadataIp}/32`, 'dev', device)
  await ip('link', 'set', device, 'up', 'mtu', `${mtu}`)
  const pidFile = join(dir, 'dnsmasq.pid')
  await exec.run([
    'dnsmasq',
    '--conf-file=/dev/null',
    '--no-hosts',
    '--no-resolv',
    '--port=0',
    '--bind-interfaces',
    '--no-ping',
    `--interface=${device}`,
    `--pid-file=${pidFile}`,
    `--dhcp-leasefile=${join(dir, 'leases')}`,
    '--dhcp-range=10.77.0.0,static,255.255.255.0,1h',
    `--dhcp-host=${guestMac},${guestIp}`,
    `--dhcp-option=option:mtu,${mtu}`,
    `--dhcp-option=option:classless-static-route,${metadataIp}/32,${gateway},0.0.0.0/0,${gateway}`,
  ])
  const server = createServer((request, reply) => {
    const body = files[`${request.url}`.replace('/openstack/latest/', '')]
    reply.statusCode = body === undefined ? 404 : 200
    reply.end(body)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(80, metadataIp, resolve))
  return {
    device,
    async close() {
      server.close()
      server.closeAllConnections()
      process.kill(Number(await readFile(pidFile, 'utf8')))
    },
  }
}
