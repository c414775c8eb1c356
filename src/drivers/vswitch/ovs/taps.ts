import type { Exec } from '../../../kit/exec/exec.ts'
import { openShutters } from './shutters.ts'

/** `owner`: the port it was made for; undefined: not ours. `shut`: the host's own network stack hears nothing of it. */
export type HostLink = { device: string; owner: string | undefined; mtu: number; up: boolean; shut: boolean }

export type Taps = {
  /** Network devices of the host by name. */
  links(): Promise<Map<string, HostLink>>
  make(port: { id: string; device: string; mtu: number }): Promise<void>
  remove(device: string): Promise<void>
}

const mark = 'altostack:'
/** Taps half made: they get their mark before they get their name, so that a kill in between leaves nothing unknown. */
const unfinished = 'atap-'

type LinkJson = { ifname: string; ifalias?: string; mtu: number; flags: string[] }

const readLink = ({ ifname, ifalias, mtu, flags }: LinkJson, shut: boolean): [string, HostLink] => {
  const owner = ifalias?.startsWith(mark) ? ifalias.slice(mark.length) : ifname.startsWith(unfinished) ? '' : undefined
  return [ifname, { device: ifname, owner, mtu, up: flags.includes('UP'), shut }]
}

export type TapOptions = {
  exec: Exec
  /** The user whose guests may open the taps; without it only root may. */
  owner: string | undefined
  /** Whether the host has to be kept from listening itself, so that no guest reaches its services past all rules. */
  shut: boolean
}

/** Taps that stay while no guest holds them. */
export function openTaps({ exec, owner, shut }: TapOptions): Taps {
  const batch = (lines: string[]) => exec.run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })
  const shutters = shut ? openShutters(exec) : undefined

  const links = async () => {
    const [text, isShut] = await Promise.all([exec.run(['ip', '-j', 'link', 'show']), shutters?.look() ?? (() => true)])
    const found = (JSON.parse(text || '[]') as LinkJson[]).filter((link) => link.ifname !== undefined)
    return new Map(found.map((link) => readLink(link, isShut(link.ifname))))
  }
  const finish = (device: string, mtu: number) => [`link set dev ${device} mtu ${mtu}`, `link set dev ${device} up`]

  return {
    links,
    async make({ id, device, mtu }) {
      const all = await links()
      const old = all.get(device)
      if (!old) {
        const temporary = `${unfinished}${id.replaceAll('-', '').slice(0, 10)}`
        if (all.has(temporary)) await batch([`link del dev ${temporary}`])
        await batch([
          `tuntap add dev ${temporary} mode tap${owner === undefined ? '' : ` user ${owner}`}`,
          `link set dev ${temporary} alias ${mark}${id}`,
          `link set dev ${temporary} addrgenmode none`,
          `link set dev ${temporary} name ${device}`,
        ])
      }
      if (!old?.shut) await shutters?.close(device)
      if (!old || old.mtu !== mtu || !old.up) await batch(finish(device, mtu))
    },
    async remove(device) {
      if (!(await links()).has(device)) return
      await batch([`link set dev ${device} down`])
      await shutters?.open(device)
      await batch([`link del dev ${device}`])
    },
  }
}
