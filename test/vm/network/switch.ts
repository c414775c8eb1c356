import { spawn } from 'node:child_process'
import { access, mkdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Exec } from '../../../src/kit/exec/exec.ts'

/** An Open vSwitch of the test's own, everything in one folder. */
export type TestSwitch = {
  dir: string
  kill(): Promise<void>
  start(): Promise<void>
  ofctl(...args: string[]): Promise<string>
  vsctl(...args: string[]): Promise<string>
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

export async function until(what: string, check: () => Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await delay(50)) if (await check()) return
  throw new Error(`${what} did not happen within ${ms} ms`)
}

/** `before`: what the daemons are started with, e.g. in another namespace. */
export async function startSwitch(exec: Exec, dir: string, before: string[] = []): Promise<TestSwitch> {
  await mkdir(dir, { recursive: true })
  const env = { OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir, OVS_SYSCONFDIR: dir }
  await exec.run(['ovsdb-tool', 'create', `${dir}/conf.db`, '/usr/share/openvswitch/vswitch.ovsschema'], { env })
  const daemon = (argv: string[]) => {
    const [program = '', ...args] = [...before, ...argv]
    const child = spawn(program, [...args, '--no-chdir'], { env: { ...process.env, ...env }, stdio: 'ignore', detached: true })
    child.unref()
  }
  daemon([
    'ovsdb-server',
    `${dir}/conf.db`,
    `--remote=punix:${dir}/db.sock`,
    `--pidfile=${dir}/ovsdb-server.pid`,
    `--unixctl=${dir}/ovsdb-server.ctl`,
  ])
  await until('ovsdb-server', () => exists(`${dir}/db.sock`))
  const vsctl = (...args: string[]) => exec.run(['ovs-vsctl', `--db=unix:${dir}/db.sock`, ...args], { env })
  await vsctl('--no-wait', 'init')
  const pidFile = `${dir}/ovs-vswitchd.pid`
  const start = async () => {
    daemon(['ovs-vswitchd', `unix:${dir}/db.sock`, `--pidfile=${pidFile}`, `--log-file=${dir}/vswitchd.log`])
    await until(
      'ovs-vswitchd',
      async () => (await exec.attempt(['ovs-appctl', '-t', 'ovs-vswitchd', 'version'], { env })).code === 0,
    )
  }
  await start()
  return {
    dir,
    start,
    async kill() {
      const pid = Number(await readFile(pidFile, 'utf8'))
      process.kill(pid, 'SIGKILL')
      await until(
        'the end of ovs-vswitchd',
        async () =>
          !(await exists(`/proc/${pid}/exe`)) || (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ')).includes(' Z '),
      )
    },
    ofctl: (...args) => exec.run(['ovs-ofctl', '-O', 'OpenFlow15', ...args], { env }),
    vsctl,
  }
}
