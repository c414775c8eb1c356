import type { Exec } from '../../../kit/exec/exec.ts'

/** `owner`: the port it was made for; undefined: not ours. */
export type HostLink = { device: string; owner: string | undefined; mtu: number; up: boolean }

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

const readLink = ({ ifname, ifalias, mtu, flags }: LinkJson): [string, HostLink] => {
  const owner = ifalias?.startsWith(mark) ? ifalias.slice(mark.length) : ifname.startsWith(unfinished) ? '' : undefined
  return [ifname, { device: ifname, owner, mtu, up: flags.includes('UP') }]
}

/** Taps that stay while no guest holds them. `owner`: the user whose guests may open them; without it only root may. */
export function openTaps({ exec, owner }: { exec: Exec; owner: string | undefined }): Taps {
  const batch = (lines: string[]) => exec.run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })
  const links = async () => {
    const found = JSON.parse((await exec.run(['ip', '-j', 'link', 'show'])) || '[]') as LinkJson[]
    return new Map(found.filter((link) => link.ifname !== undefined).map(readLink))
  }
  const finish = (device: string, mtu: number) => [`link set dev ${device} mtu ${mtu}`, `link set dev ${device} up`]

  return {
    links,
    async make({ id, device, mtu }) {
      const all = await links()
      const old = all.get(device)
      if (old) {
        if (old.mtu !== mtu || !old.up) await batch(finish(device, mtu))
        return
      }
      const temporary = `${unfinished}${id.replaceAll('-', '').slice(0, 10)}`
      if (all.has(temporary)) await batch([`link del dev ${temporary}`])
      await batch([
        `tuntap add dev ${temporary} mode tap${owner === undefined ? '' : ` user ${owner}`}`,
        `link set dev ${temporary} alias ${mark}${id}`,
        `link set dev ${temporary} name ${device}`,
        ...finish(device, mtu),
      ])
    },
    async remove(device) {
      if ((await links()).has(device)) await batch([`link del dev ${device}`])
    },
  }
}
