/** `npm start`: a simulated cloud until interrupted. `--hosts N`, `--bare` (no demo set), `--ports` (OpenStack's usual ones), `--verbose`. */
import { parseArgs } from 'node:util'
import { openLog, silentLog } from '../kit/log.ts'
import { startCloud } from './start-cloud.ts'

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3' },
    bare: { type: 'boolean', default: false },
    ports: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const usual = { identity: 5000, image: 9292, compute: 8774, placement: 8778, network: 9696 }
const started = await startCloud({
  hosts: Number(values.hosts),
  demo: !values.bare,
  ...(values.ports ? { ports: usual } : {}),
  log: values.verbose ? openLog() : silentLog,
})
for (const [name, value] of Object.entries(started.env())) console.log(`export ${name}=${value}`)
console.log(`# ${started.hosts.length} simulated hosts, ready after ${Math.round(performance.now())} ms; Ctrl-C ends it all`)
const stop = async () => {
  await started.close()
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
