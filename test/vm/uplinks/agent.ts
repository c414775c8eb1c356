/**
 * The switch driver of a host, as its agent runs it: `ip netns exec HOST node agent.ts ASK`. A process of its own, since sockets are opened where a process is,
 * and since it gets killed. Says what became of it as JSON.
 */
import type { SwitchPort } from '../../../src/drivers/vswitch/driver.ts'
import { type OvsOptions, openOvs } from '../../../src/drivers/vswitch/ovs/ovs.ts'
import { returnUplinks } from '../../../src/drivers/vswitch/ovs/uplinks.ts'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { openLog } from '../../../src/kit/log.ts'

export type AgentAsk = Pick<OvsOptions, 'bridgeMappings' | 'tunnelIp' | 'cards'> & {
  runDir: string
  /** return: gives every card back. watch: prepares again when something changed. program: lays tunnels for these ports too. */
  then?: { do: 'return' } | { do: 'watch' } | { do: 'program'; ports: SwitchPort[] }
}

export type AgentAnswer = { problems: string[]; log: string[] }

const ask = JSON.parse(process.argv[2] ?? '') as AgentAsk
const lines: string[] = []
const log = openLog({ level: 'info', write: (line: string) => void lines.push(line) })
const exec = openExec(log)

async function run(): Promise<string[]> {
  if (ask.then?.do === 'return') {
    const socket = `${ask.runDir}/db.sock`
    await returnUplinks({ exec, socket, datapath: 'netdev', stateDir: ask.cards?.stateDir ?? '' })
    return []
  }
  const driver = openOvs({ ...ask, exec, log, datapath: 'netdev', holds: async () => false })
  await driver.prepare()
  if (ask.then?.do === 'program') await driver.program(ask.then.ports, { keepOthers: false })
  if (ask.then?.do === 'watch') {
    let stop = () => {}
    await new Promise<void>((resolve) => {
      stop = driver.watch(resolve)
    })
    stop()
    await driver.prepare()
  }
  const { problems } = await driver.inventory()
  await driver.close()
  return problems
}

const answer: AgentAnswer = { problems: await run(), log: lines }
process.stdout.write(JSON.stringify(answer))
