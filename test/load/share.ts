import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
const periodMicros = 10_000

/** Lets a process have at most so many percent of one processor, by a control group (version 1 or 2). As root. Gives the way to let go. */
export function hold(pid: number, percent: number): () => void {
  const isSecond = existsSync(join(root, 'cgroup.controllers'))
  const group = join(isSecond ? root : join(root, 'cpu'), `altostack-load-${pid}`)
  const quota = Math.round((percent / 100) * periodMicros)
  mkdirSync(group)
  if (isSecond) writeFileSync(join(group, 'cpu.max'), `${quota} ${periodMicros}`)
  else {
    writeFileSync(join(group, 'cpu.cfs_period_us'), `${periodMicros}`)
    writeFileSync(join(group, 'cpu.cfs_quota_us'), `${quota}`)
  }
  writeFileSync(join(group, 'cgroup.procs'), `${pid}`)
  return () => {
    writeFileSync(join(isSecond ? root : join(root, 'cpu'), 'cgroup.procs'), `${pid}`)
    rmdirSync(group)
  }
}
