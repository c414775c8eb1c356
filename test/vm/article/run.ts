/** The article from its first command to its last, on two simulated hosts: each line as it is printed, then corrected, then with traffic. As root. */
import { oneHost, secondHost } from './install.ts'
import { networksAsMeant, networksAsPrinted } from './networks.ts'
import { cards } from './physical.ts'
import { openWorld } from './world.ts'

const world = await openWorld()
let passed = false
try {
  await oneHost(world)
  await secondHost(world)
  await cards(world)
  await networksAsPrinted(world)
  await networksAsMeant(world)
  passed = true
} catch (error) {
  console.error(error)
} finally {
  await world.sims.down()
}
process.exit(passed ? 0 : 1)
