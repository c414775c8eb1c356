import type { Place } from '../place.ts'
import { type CardsSeen, cardScript, readCards, readSaid, sayScript } from './cards.ts'
import { quoted, type Shell } from './ssh.ts'

/** What a host says about itself before anything is changed on it. */
export type Seen = {
  name: string
  uid: number
  osRelease: string
  arch: string
  availableMb: number
  freeMb: number
  /** Seconds since 1970. */
  now: number
  hasTun: boolean
  hasNamespaces: boolean
  /** Fingerprint of the program that is installed; empty: none. */
  program: string
  /** SHA-256 of its configuration; empty: none. */
  config: string
  isAgentRunning: boolean
  /** It carries a controller of its own. */
  isController: boolean
  cards: CardsSeen
}

const script = ({ program, configFile, secretsFile, run }: Place) => `
${sayScript}
say name "$(hostname)"
say uid "$(id -u)"
say arch "$(uname -m)"
say memory "$(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
say free "$(df -Pk /var/lib | tail -n 1 | tr -s ' ' | cut -d' ' -f4)"
say now "$(date +%s)"
[ -c /dev/net/tun ] && say tun 1
unshare --net true 2>/dev/null && say namespaces 1
say program "$(cat ${quoted(program)}/.fingerprint 2>/dev/null)"
[ -f ${quoted(configFile)} ] && say config "$(sha256sum <${quoted(configFile)} | cut -d' ' -f1)"
[ -f ${quoted(secretsFile)} ] && say controller 1
if [ -d /run/systemd/system ]; then systemctl is-active --quiet altostack-agent && say agent 1
else kill -0 "$(cat ${quoted(run)}/agent.supervisor 2>/dev/null)" 2>/dev/null && say agent 1; fi
${cardScript}while read -r line; do say os "$line"; done </etc/os-release
`

/** Asks a host by one small script of its own shell: nothing need be there. */
export async function lookAtHost(shell: Shell, place: Place): Promise<Seen> {
  const { stdout, stderr } = await shell.run('sh -s', { input: script(place), timeoutMs: 30_000 })
  const all = readSaid(stdout)
  const one = (key: string) => all(key)[0] ?? ''
  if (one('name') === '') throw new Error(`the host does not run a shell: ${stderr.trim().slice(-200)}`)
  return {
    name: one('name'),
    uid: Number(one('uid')),
    osRelease: all('os').join('\n'),
    arch: { x86_64: 'x64', aarch64: 'arm64' }[one('arch')] ?? one('arch'),
    availableMb: Math.floor(Number(one('memory')) / 1024),
    freeMb: Math.floor(Number(one('free')) / 1024),
    now: Number(one('now')),
    hasTun: one('tun') === '1',
    hasNamespaces: one('namespaces') === '1',
    program: one('program'),
    config: one('config'),
    isAgentRunning: one('agent') === '1',
    isController: one('controller') === '1',
    cards: readCards(all),
  }
}
