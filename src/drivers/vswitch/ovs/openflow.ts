import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exec } from '../../../kit/exec/exec.ts'
import { bundle, type FlowChange } from './flows/difference.ts'

export type OpenFlow = {
  /** Makes a bridge's flows these, in one bundle, changing only what differs. Gives what was taken away. */
  become(bridge: string, flows: string[], removable: (cookie: string) => boolean): Promise<FlowChange[]>
  /** Forgets the connections of a zone. */
  flush(zone: number): Promise<void>
}

/** The switch's flows, by ovs-ofctl: it alone brings what we write and what the switch says to one form. */
export function openOpenFlow({
  exec,
  runDir,
  datapath,
}: {
  exec: Exec
  runDir: string
  datapath: 'system' | 'netdev'
}): OpenFlow {
  const control = async (bridge: string, command: string[], flows: string[]) => {
    // diff-flows reads files only, not its standard input.
    const folder = await mkdtemp(join(tmpdir(), 'altostack-flows-'))
    try {
      const file = join(folder, 'flows')
      await writeFile(file, flows.map((flow) => `${flow}\n`).join(''))
      const to = `unix:${join(runDir, `${bridge}.mgmt`)}`
      return await exec.attempt(['ovs-ofctl', '-O', 'OpenFlow15', '--no-names', ...command, to, file], {
        maxOutputBytes: 64 << 20,
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  const failed = (what: string, stderr: string) => new Error(`ovs-ofctl ${what}: ${stderr.trim().slice(-600)}`)
  const appctl = (args: string[]) => exec.attempt(['ovs-appctl', '-t', 'ovs-vswitchd', ...args], { env: { OVS_RUNDIR: runDir } })

  return {
    async become(bridge, flows, removable) {
      const { code, stdout, stderr } = await control(bridge, ['diff-flows'], flows)
      // diff-flows ends with 2 where there are differences, and also where it failed.
      if (code !== 0 && stdout.trim() === '') throw failed('diff-flows', stderr)
      const { lines, removed } = bundle(stdout, removable)
      if (lines.length === 0) return []
      const added = await control(bridge, ['--bundle', 'add-flows'], lines)
      if (added.code !== 0) throw failed('add-flows', added.stderr)
      return removed
    },
    async flush(zone) {
      // Where both datapaths are in use the name has to be said, where there is one it must not (3.1 takes it for the zone).
      const { code } = await appctl(['dpctl/flush-conntrack', `zone=${zone}`])
      if (code !== 0)
        await appctl(['dpctl/flush-conntrack', datapath === 'netdev' ? 'netdev@ovs-netdev' : 'system@ovs-system', `zone=${zone}`])
    },
  }
}
