/**
 * The article from its first command to its last, on two simulated hosts: each line as it is printed, then corrected, then with traffic. As root.
 * Not here: A1 to A3, which are commands of another distribution, B3 and the picture of F15, which need the dashboard.
 */
import { cable, liveMigration, reboots, removal } from './endurance.ts'
import { oneHost, secondHost } from './install.ts'
import { networksAsMeant, networksAsPrinted } from './networks.ts'
import { cards, files } from './physical.ts'
import { traffic } from './traffic.ts'
import { openWorld, type World } from './world.ts'

/** `--stay`: what was built stays as it was when something failed, until Ctrl-C. */
const stay = () =>
  new Promise((resolve) => {
    const timer = setInterval(() => {}, 60_000)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(clearInterval(timer)))
  })

/** What daemons complained of at the end. */
async function lastWords({ first, second }: World): Promise<void> {
  for (const host of [first, second])
    for (const name of ['controller', 'agent']) {
      const { stdout } = await host.run('grep', '-E', '"level":"(warn|error)"|takeBack', `/var/log/altostack/${name}.log`)
      console.error(`${host.name} ${name}:\n${stdout.trim().split('\n').slice(-12).join('\n')}`)
    }
}

const world = await openWorld()
let passed = false
try {
  await oneHost(world)
  await secondHost(world)
  await files(world)
  await cards(world)
  await networksAsPrinted(world)
  await networksAsMeant(world)
  const built = await traffic(world)
  await liveMigration(world, built)
  await reboots(world, built)
  await cable(world, built)
  await removal(world, built)
  passed = true
} catch (error) {
  console.error(error)
  await lastWords(world)
  if (process.argv.includes('--stay')) await stay()
} finally {
  await world.sims.down()
}
process.exit(passed ? 0 : 1)
