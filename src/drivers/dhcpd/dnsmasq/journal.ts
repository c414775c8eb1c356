import type { DhcpdLease } from '../driver.ts'

type Said = DhcpdLease & { line: string }

const pattern =
  /^(\w{3} +\d+ \d\d:\d\d:\d\d) dnsmasq-dhcp\[\d+\]: (?:\d+ )?(DHCP[A-Z]+)\([^)]*\) (?:(\d+\.\d+\.\d+\.\d+) )?([0-9a-f]{2}(?::[0-9a-f]{2}){5})(.*)$/

/** The journal's times have no year: the newest that is not in the future. Microseconds. */
function timeOf(text: string, now: number): number {
  const year = new Date(now).getFullYear()
  const parsed = Date.parse(`${text} ${year}`)
  const at = parsed > now + 86_400_000 ? Date.parse(`${text} ${year - 1}`) : parsed
  return Number.isNaN(at) ? 0 : at * 1000
}

/** What was said last to each card, newest first. `now`: milliseconds since 1970. */
export function readJournal(journal: string, now: number): Said[] {
  const last = new Map<string, Said>()
  for (const line of journal.split('\n')) {
    const found = pattern.exec(line)
    if (!found) continue
    const [, time = '', verb = '', ip, mac = '', rest = ''] = found
    const refused = /no address|not available|wrong|unknown/.test(rest) ? ` ${rest.trim()}` : ''
    last.set(mac, { mac, ip: ip ?? last.get(mac)?.ip ?? '', at: timeOf(time, now), last: `${verb}${refused}`.slice(0, 80), line })
  }
  return [...last.values()].sort((one, two) => two.at - one.at)
}
