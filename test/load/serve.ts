/** The controller that `run.ts` measures, with three simulated hosts and the demo set, for another load generator: prints the OS_ variables, ends on Ctrl-C. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openApi } from '../../src/deploy/demo/api.ts'
import { demoSet, makeDemo } from '../../src/deploy/demo/demo.ts'
import { emptyQcow2 } from '../../src/main/empty-image.ts'
import { password, startController } from './controller.ts'

const controller = await startController()
for (let n = 1; n <= 3; n++) await controller.addHost(`load-${n}`)
const folder = mkdtempSync(join(tmpdir(), 'altostack-serve-'))
const imageFile = join(folder, 'mini.qcow2')
writeFileSync(imageFile, emptyQcow2(64 << 20))
const url = `${controller.url('identity')}/v3`
const admin = await openApi({ url, user: 'admin', password, project: 'admin' })
await makeDemo(demoSet({ admin, demoPassword: password, imageFile }))
rmSync(folder, { recursive: true })
const env = {
  OS_AUTH_URL: url,
  OS_USERNAME: 'admin',
  OS_PASSWORD: password,
  OS_PROJECT_NAME: 'admin',
  OS_USER_DOMAIN_NAME: 'Default',
  OS_PROJECT_DOMAIN_NAME: 'Default',
}
for (const [name, value] of Object.entries(env)) console.log(`export ${name}=${value}`)
process.once('SIGINT', async () => {
  await controller.close()
  process.exit(0)
})
