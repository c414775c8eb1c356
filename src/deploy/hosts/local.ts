import { lookup } from 'node:dns/promises'
import { hostname, networkInterfaces } from 'node:os'

const addresses = (): string[] => Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))

/** Whether the host is this machine, by address or by a name that leads to one of its addresses. */
export async function isLocal(host: string): Promise<boolean> {
  if (addresses().includes(host) || host === hostname()) return true
  const found = await lookup(host).catch(() => undefined)
  return found !== undefined && addresses().includes(found.address)
}
