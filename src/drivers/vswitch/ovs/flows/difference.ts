import { isOurs } from './cookies.ts'

export type FlowChange = { sign: '+' | '-'; flow: string; key: string; cookie: string }

/** Reads a line of `ovs-ofctl diff-flows`: `-table=60 priority=50,reg6=0x7 cookie=0x… actions=…`. */
function readChange(line: string): FlowChange | undefined {
  const found = /^([+-])(.*?) cookie=(0x[0-9a-f]+)(?:,| ).*actions=/.exec(line)
  if (!found) return undefined
  const [, sign, key = '', cookie = ''] = found
  return { sign: sign as '+' | '-', flow: line.slice(1), key, cookie }
}

/**
 * A bundle's lines that turn what the switch has into what it should have. Flows of others stay. `removable`: of
 * which cookies flows may go.
 */
export function bundle(diff: string, removable: (cookie: string) => boolean): { lines: string[]; removed: FlowChange[] } {
  const changes = diff.split('\n').flatMap((line) => readChange(line) ?? [])
  const wanted = changes.filter(({ sign }) => sign === '+')
  const kept = new Set(wanted.map(({ key }) => key))
  const gone = changes.filter(({ sign, key, cookie }) => sign === '-' && !kept.has(key) && isOurs(cookie) && removable(cookie))
  return { lines: [...gone.map(({ key }) => `delete_strict ${key}`), ...wanted.map(({ flow }) => `add ${flow}`)], removed: gone }
}
