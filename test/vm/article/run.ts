/** The article from its first command to its last, on two simulated hosts: each line as it is printed, then corrected, then with traffic. As root. */
import { liveMigration, removal } from './endurance.ts'
import { oneHost, secondHost } from './install.ts'
import { networksAsMeant, networksAsPrinted } from './networks.ts'
import { cards } from './physical.ts'
import { traffic } from './traffic.ts'
import { openWorld } from './world.ts'

/** `--stay`: what was built stays as it was when something failed, until Ctrl-C. */
const stay = () =>
  new Promise((resolve) => {
    const timer = setInterval(() => {}, 60_000)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(clearInterval(timer)))
  })

const world = await openWorld()
let passed = false
try {
  await oneHost(world)
  await secondHost(world)
  await cards(world)
  await networksAsPrinted(world)
  await networksAsMeant(world)
  const built = await traffic(world)
  await liveMigration(world, built)
  await removal(world, built)
  passed = true
} catch (error) {
  console.error(error)
  if (process.argv.includes('--stay')) await stay()
} finally {
  await world.sims.down()
}
process.exit(passed ? 0 : 1)
