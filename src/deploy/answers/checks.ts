import { isIP } from 'node:net'

/** Why a value is not among what packstack accepts for a parameter; undefined: it is. Every check but `not empty` lets an empty value pass. */
export function troubleWith(value: string, accepted: string): string | undefined {
  for (const rule of accepted.split('; ')) {
    const trouble = broken(value, rule)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

const isHost = (text: string) => isIP(text) > 0 || /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*$/.test(text)
const isLdapDn = (text: string) => /^[A-Za-z][\w-]*=[^,]+(,\s*[A-Za-z][\w-]*=[^,]+)*$/.test(text)

const tests: [rule: RegExp, isRight: (value: string) => boolean, allowed: string][] = [
  [/^host, ssh port open$/, isHost, 'the address or name of a host'],
  [/^(comma )?list of (hosts|IPs)/, (value) => words(value).every(isHost), 'addresses or names of hosts, separated by commas'],
  [/^list of IPs/, (value) => words(value).every((word) => isIP(word) > 0), 'addresses, separated by commas'],
  [/^IP$/, (value) => isIP(value) > 0, 'an IP address'],
  [/^integer$/, (value) => /^-?\d+$/.test(value), 'a whole number'],
  [/^float$/, (value) => /^-?\d+(\.\d+)?$/.test(value), 'a number'],
  [/^port$/, (value) => /^\d+$/.test(value) && Number(value) <= 65_534, 'a port, 0 to 65534'],
  [/^number \+ G, M or K$/, (value) => /^\d+[GMK]$/.test(value), 'a size such as 2G'],
  [/^LDAP URL$/, (value) => /^ldaps?:\/\/.+/.test(value), 'ldap://host'],
  [/^LDAP DN$/, isLdapDn, 'a distinguished name such as dc=example,dc=com'],
  [
    /^comma list host:\/path$/,
    (value) => words(value).every((word) => /^[^:]+:\/.+/.test(word)),
    'host:/path, separated by commas',
  ],
  [/^comma list of absolute paths$/, (value) => words(value).every((word) => word.startsWith('/')), 'paths such as /dev/vdb'],
  [/^pattern \^\[\/\]/, (value) => value.startsWith('/'), 'a path that begins with /'],
]

const words = (value: string) =>
  value
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

function broken(value: string, rule: string): string | undefined {
  if (rule.startsWith('not empty')) return value === '' ? 'it must not be empty' : undefined
  if (value === '' || rule === 'anything') return undefined
  if (rule === 'must be y') return value.toLowerCase() === 'y' ? undefined : 'only y is possible'
  const known = tests.find(([pattern]) => pattern.test(rule))
  if (known) return known[1](value) ? undefined : `allowed is ${known[2]}`
  const choices = choicesOf(rule)
  if (!choices) return undefined
  const given = rule.startsWith('comma list of ') ? words(value) : [value]
  const wrong = given.filter((word) => !choices.includes(word) && !isYes(word, choices))
  return wrong.length === 0
    ? undefined
    : `allowed ${rule.startsWith('comma') ? 'are, separated by commas,' : 'is'} ${choices.join(', ')}`
}

const isYes = (word: string, choices: string[]) => choices.includes('y') && /^[yn]$/i.test(word)

/** `y / n`, `comma list of local / flat`, `rabbitmq`: the words that may be said. */
function choicesOf(rule: string): string[] | undefined {
  if (/not checked|become|writeable|existing|public ssh|ping|class under|CIDR|list matching|host\[/.test(rule)) return undefined
  return rule.replace(/^comma list of /, '').split(' / ')
}
