import { isOurs } from './cookies.ts'

/** `sets`: numbers of the address sets it was part of and is not any more. */
export type FlowChange = { sign: '+' | '-'; flow: string; key: string; cookie: string; sets: number[] }

/** Reads a line of `ovs-ofctl diff-flows`: `-table=60 priority=50,reg6=0x7 cookie=0x… actions=…`. */
function readChange(line: string): FlowChange | undefined {
  const found = /^([+-])(.*?) cookie=(0x[0-9a-f]+)(?:,| ).*actions=(.*)$/.exec(line)
  if (!found) return undefined
  const [, sign, key = '', cookie = '', actions = ''] = found
  const sets = [...actions.matchAll(/conjunction\((\d+),/g)].map(([, number]) => Number(number))
  return { sign: sign as '+' | '-', flow: line.slice(1), key, cookie, sets }
}

/**
 * A bundle's lines that turn what the switch has into what it should have. Flows of others stay. `removable`: of
 * which cookies flows may go. `removed`: what does not hold any more, whole flows and parts of sets.
 */
export function bundle(diff: string, removable: (cookie: string) => boolean): { lines: string[]; removed: FlowChange[] } {
  const changes = diff.split('\n').flatMap((line) => readChange(line) ?? [])
  const wanted = new Map(changes.filter(({ sign }) => sign === '+').map((change) => [change.key, change]))
  const old = changes.filter(({ sign, cookie }) => sign === '-' && isOurs(cookie))
  const gone = old.filter(({ key, cookie }) => !wanted.has(key) && removable(cookie))
  const less = old.flatMap((change) => {
    const now = wanted.get(change.key)
    const sets = change.sets.filter((number) => now && !now.sets.includes(number))
    return sets.length > 0 ? [{ ...change, sets }] : []
  })
  return {
    lines: [...gone.map(({ key }) => `delete_strict ${key}`), ...[...wanted.values()].map(({ flow }) => `add ${flow}`)],
    removed: [...gone, ...less],
  }
}
