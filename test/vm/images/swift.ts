import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openExec } from '../../../src/kit/exec/exec.ts'
import { silentLog } from '../../../src/kit/log.ts'

/** Debian's Swift with its S3 face (`swift-proxy`, `swift-account`, `swift-container`, `swift-object`), for one test. */
export type Swift = { endpoint: string; accessKey: string; secretKey: string; close(): void }

/** `root`: where the packages are unpacked; `/` when they are installed. */
export async function startSwift(folder: string, root: string, firstPort: number): Promise<Swift> {
  const exec = openExec(silentLog)
  const program = (name: string) => join(root, 'usr/bin', name)
  const env = { PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'), LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') }
  await mkdir(join(folder, 'devices/d1'), { recursive: true })
  const kinds = ['account', 'container', 'object'] as const
  for (const [at, kind] of kinds.entries()) {
    const ring = join(folder, `${kind}.builder`)
    const build = (...args: string[]) => exec.run(['/usr/bin/python3', program('swift-ring-builder'), ring, ...args], { env })
    await build('create', '4', '1', '0')
    await build(
      'add',
      '--region',
      '1',
      '--zone',
      '1',
      '--ip',
      '127.0.0.1',
      '--port',
      String(firstPort + 1 + at),
      '--device',
      'd1',
      '--weight',
      '1',
    )
    await build('rebalance')
  }
  // Swift looks for it nowhere else.
  const own = await mkdir('/etc/swift', { recursive: true })
  const hashing = '[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n'
  await writeFile('/etc/swift/swift.conf', hashing, { flag: 'wx' }).catch(() => {})
  const common = (port: number) =>
    `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nswift_dir = ${folder}\ndevices = ${folder}/devices\nmount_check = false\nworkers = 0\nuser = root\nlog_name = s\n`
  for (const [at, kind] of kinds.entries())
    await writeFile(
      join(folder, `${kind}.conf`),
      `${common(firstPort + 1 + at)}[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`,
    )
  await writeFile(join(folder, 'proxy.conf'), common(firstPort) + proxy)
  const children: ChildProcess[] = []
  // In this order: the proxy avoids for a minute whoever did not answer once.
  for (const [at, kind] of [...kinds, 'proxy'].entries()) {
    // They live as long as the test: not through kit/exec, which waits for the end of what it runs.
    const child = spawn('/usr/bin/python3', [program(`swift-${kind}-server`), join(folder, `${kind}.conf`)], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    })
    children.push(child)
    await answers(`http://127.0.0.1:${kind === 'proxy' ? firstPort : firstPort + 1 + at}/healthcheck`)
  }
  return {
    endpoint: `http://127.0.0.1:${firstPort}`,
    accessKey: 'test:tester',
    secretKey: 'testing',
    close() {
      for (const child of children) child.kill('SIGKILL')
      if (own) rmSync('/etc/swift', { recursive: true })
    },
  }
}

async function answers(url: string): Promise<void> {
  for (let n = 0; n < 600; n++) {
    if (await fetch(url).catch(() => undefined)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} never answered`)
}

const proxy = `
[pipeline:main]
pipeline = healthcheck cache s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
min_segment_size = 1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
minimum_segment_size = 1
`
