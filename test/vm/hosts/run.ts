/** packstack over SSH: three simulated hosts, each with its own sshd, become one cloud. As root. */
import assert from 'node:assert/strict'
import { prove, until } from '../installed.ts'
import { failover } from './failover.ts'
import { type SimHost, simHosts } from './hosts.ts'

const sims = simHosts()
const [one, two, three] = ['198.51.100.11', '198.51.100.12', '198.51.100.13'] as const

const packstack = (host: SimHost, ...args: string[]) => host.run('/srv/clone/bin/packstack', ...args)

async function succeed(host: SimHost, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await packstack(host, ...args)
  assert.equal(code, 0, `packstack ${args.join(' ')}:\n${stdout}${stderr}`)
  return stdout
}

const services = async (host: SimHost) =>
  (await host.sh('/opt/altostack/bin/nova-manage service list')).split('\n').filter((line) => line.startsWith('nova-compute'))

async function story(): Promise<void> {
  const [h1, h2, h3] = await Promise.all([sims.up('sim-1', one), sims.up('sim-2', two), sims.up('sim-3', three)])
  const controller = h1!
  const install = ['--install-hosts', [one, two, three].join(), '--provision-demo=n']

  await prove('without a key nothing is changed, and all hosts are named at once', async () => {
    const { code, stdout } = await packstack(controller, ...install)
    assert.equal(code, 1)
    assert.match(stdout, new RegExp(`PROBLEM : ${two}: no key opens it`))
    assert.match(stdout, new RegExp(`PROBLEM : ${three}: no key opens it`))
    await controller.sh('! [ -e /opt/altostack ]')
  })
  await controller.sh(`umask 077; cat >/root/.ssh/id_ed25519 <<'K'\n${sims.key}K\n`)

  await prove('a dry run prints the plan and leaves nothing', async () => {
    const said = await succeed(controller, ...install, '--dry-run')
    assert.match(said, new RegExp(`added +${two} \\(sim-2\\)`))
    await controller.sh('! [ -e /etc/altostack ]')
    await h2!.sh('! [ -e /opt/altostack ]')
  })

  const started = performance.now()
  const said = await prove('three hosts become one cloud', () => succeed(controller, ...install))
  await prove('all three report', async () =>
    until(
      'three compute services',
      60,
      async () => (await services(controller)).filter((line) => line.includes(':-)')).length === 3,
    ),
  )
  const seconds = (performance.now() - started) / 1000
  await prove(`it took ${seconds.toFixed(1)} s, under 60`, async () => assert.ok(seconds < 60))
  await prove('a line for each step of each host', async () => {
    for (const address of [two, three]) assert.match(said, new RegExp(`^${address}: Joining the cloud +\\[ DONE \\]$`, 'm'))
  })
  await prove('the first host is no compute host: it is closed for guests', async () => {
    const lines = await services(controller)
    assert.match(lines.find((line) => line.includes('sim-1')) ?? '', /disabled/)
    assert.match(lines.find((line) => line.includes('sim-2')) ?? '', /enabled/)
  })
  await prove('a host has its own key, and nothing of the controller', async () => {
    const key = (host: SimHost) => host.sh('cat /etc/altostack/agent-secrets.json')
    assert.notEqual(await key(h2!), await key(h3!))
    assert.match(await h2!.sh('stat -c %a /etc/altostack/agent-secrets.json'), /^600$/m)
    await h2!.sh('! [ -e /etc/altostack/secrets.json ]')
    await h2!.sh('/opt/altostack/bin/packstack --status')
  })

  await prove('the same again changes nothing', async () => {
    assert.match(await succeed(controller, ...install), /Nothing was changed/)
  })
  await prove('so does the answer file it left', async () => {
    const file = (await controller.sh('ls /root/packstack-answers-*.txt')).trim()
    assert.match(await succeed(controller, '--answer-file', file), /Nothing was changed/)
  })

  await prove('a host off the list is kept and reported', async () => {
    await controller.sh(
      `sed 's/^CONFIG_COMPUTE_HOSTS=.*/CONFIG_COMPUTE_HOSTS=${two}/' /root/packstack-answers-*.txt >/root/two.txt`,
    )
    assert.match(
      await succeed(controller, '--answer-file=/root/two.txt'),
      new RegExp(`kept +${three} \\(sim-3\\).*--remove-host sim-3`),
    )
    assert.equal((await services(controller)).length, 3)
  })
  await prove('--remove-host takes it out, and everything off it', async () => {
    await succeed(controller, '--remove-host', 'sim-3')
    assert.equal((await services(controller)).length, 2)
    await h3!.sh('! [ -e /opt/altostack ] && ! [ -e /etc/altostack ]')
    assert.equal((await packstack(controller, '--remove-host', 'sim-3')).code, 1)
  })

  await prove('a host that fails holds up no other; the next run carries on', async () => {
    await h3!.sh("printf '#!/bin/sh\\nexit 9\\n' >/usr/local/bin/tar; chmod +x /usr/local/bin/tar")
    await controller.sh(
      `ssh -o BatchMode=yes -o StrictHostKeyChecking=no root@${two} 'kill $(cat /run/altostack/agent.supervisor)'`,
    )
    const { code, stdout } = await packstack(controller, ...install)
    assert.equal(code, 1)
    assert.match(stdout, new RegExp(`${three}: Copying the program +\\[ ERROR \\]`))
    assert.match(stdout, new RegExp(`${two}: Starting the agent +\\[ DONE \\]`))
    await h3!.sh('rm /usr/local/bin/tar')
    await succeed(controller, ...install)
    assert.match(await succeed(controller, ...install), /Nothing was changed/)
    assert.equal((await services(controller)).length, 3)
  })
  await succeed(controller, ...install, `--os-network-hosts=${one},${two}`)
  await failover(controller, h2!)
  await interrupted(controller, ...install)
}

/** The deployer killed with -9 on its way, again and again: the next run carries on. */
async function interrupted(controller: SimHost, ...args: string[]): Promise<void> {
  const delays = Array.from({ length: 10 }, () => (0.4 + Math.random() * 7).toFixed(1))
  await prove(`killed with -9 after ${delays.join(', ')} s, it carries on`, async () => {
    await controller.sh('/srv/clone/bin/packstack --uninstall')
    for (const delay of delays) await controller.run('timeout', '-s', 'KILL', delay, '/srv/clone/bin/packstack', ...args)
    await succeed(controller, ...args)
    assert.match(await succeed(controller, ...args), /Nothing was changed/)
    assert.equal((await services(controller)).filter((line) => line.includes(':-)')).length, 3)
  })
}

let passed = false
try {
  await story()
  passed = true
} catch (error) {
  console.error(error)
} finally {
  await sims.down()
}
process.exit(passed ? 0 : 1)
