import type { Socket } from 'node:net'
import { Problem } from '../../../kit/errors.ts'
import type { Netns, NsShape } from '../driver.ts'

export type SimNetnsFaults = {
  /** Text for the user: this namespace cannot be made. */
  broken?: { name: string; why: string }
}

/** Namespaces made of memory. `hasDevice` tells whether the switch has made a device; without it every device is there. */
export type SimNetns = {
  spaces: Map<
    string,
    { shape: NsShape; listening: { ip: string; port: number; connected: (socket: Socket) => void } | undefined }
  >
  faults: SimNetnsFaults
  hasDevice: (device: string) => boolean
}

export const simNetns = (hasDevice: (device: string) => boolean = () => true, faults: SimNetnsFaults = {}): SimNetns => ({
  spaces: new Map(),
  faults,
  hasDevice,
})

/** Namespaces of simulated clouds. */
export function openSimNetns({ host }: { host: SimNetns }): Netns {
  return {
    async list() {
      return [...host.spaces.keys()]
    },
    async shape(name, shape) {
      if (host.faults.broken?.name === name) throw new Problem('internal', host.faults.broken.why)
      host.spaces.set(name, { shape, listening: host.spaces.get(name)?.listening })
      return { missing: shape.links.map((link) => link.device).filter((device) => !host.hasDevice(device)) }
    },
    async remove(name) {
      host.spaces.delete(name)
    },
    async listen(name, { ip, port }, connected) {
      const space = host.spaces.get(name)
      if (space) space.listening = { ip, port, connected }
    },
    async holds(device) {
      return [...host.spaces.values()].some(({ shape }) => shape.links.some((link) => link.device === device))
    },
    async inventory() {
      return { namespaces: [...host.spaces.keys()], problems: [] }
    },
    async close() {
      for (const space of host.spaces.values()) space.listening = undefined
    },
  }
}
