import type { Exec } from '../../../kit/exec/exec.ts'

/**
 * Keeps the host's own network stack from hearing a device. A switch in user space reads a copy of what arrives there, and the host would get it too: twice what is
 * sent to itself, and past all rules what guests send. The kernel's datapath leaves it nothing.
 */
export type Shutters = {
  /** Tells of a device whether it is closed. */
  look(): Promise<(device: string) => boolean>
  close(device: string): Promise<void>
  /** A device that is not there or not closed is no trouble. */
  open(device: string): Promise<void>
}

/** In the `netdev` family; a chain for each device, of its name. */
const table = 'netdev altostack'

export function openShutters(exec: Exec): Shutters {
  const nft = (lines: string[]) => exec.attempt(['nft', '-f', '-'], { input: `${lines.join('\n')}\n` })
  const list = async () => (await exec.attempt(['nft', 'list', 'table', ...table.split(' ')])).stdout
  return {
    async look() {
      const chains = new Set([...(await list()).matchAll(/^\s*chain (\S+) \{/gm)].map(([, name]) => name))
      return (device) => chains.has(device)
    },
    async close(device) {
      const chain = `add chain ${table} ${device} { type filter hook ingress device "${device}" priority 0; policy drop; }`
      const { code, stderr } = await nft([`add table ${table}`, chain])
      if (code !== 0) throw new Error(`nft: ${stderr.trim().slice(-300)}`)
    },
    /** The last one takes the table along. */
    async open(device) {
      await nft([`delete chain ${table} ${device}`])
      const left = await list()
      if (left !== '' && !left.includes('chain ')) await nft([`delete table ${table}`])
    },
  }
}
