import type { Option, Positional } from '../arguments.ts'

export const text = (flag: string, help: string, more: Partial<Option> = {}): Option => ({
  flag,
  key: flag.slice(2).replaceAll('-', '_'),
  kind: 'text',
  help,
  ...more,
})

export const old = { hasOldSpelling: true } as const

export const named = (help: string): Positional => ({ key: 'name', metavar: 'NAME', help })

export const description = text('--description', 'its description')

export const name = text('--name', 'its new name')

export const down: Option = {
  ...old,
  flag: '--admin-state-down',
  key: 'admin_state_up',
  kind: 'set',
  value: false,
  preset: true,
  help: 'set the administrative state to down',
}

export const shared: Option = { flag: '--shared', key: 'shared', kind: 'set', help: 'let every project use it' }

export const zoneHint: Option = {
  flag: '--availability-zone-hint',
  key: 'availability_zone_hints',
  kind: 'many',
  metavar: 'AVAILABILITY_ZONE',
  help: 'a zone it should be in; may be repeated',
}

export const qos = text('--qos-policy', 'name or id of its QoS policy', { key: 'qos_policy_id', of: 'qos_policy', apart: 'qos' })

export const noQos: Option = {
  flag: '--no-qos-policy',
  key: 'qos_policy_id',
  kind: 'set',
  value: null,
  apart: 'qos',
  help: 'without QoS policy',
}

export const dns = (what: string): Option => text(`--dns-${what}`, `its DNS ${what}`, { apart: `dns-${what}` })

export const noDns = (what: string): Option => ({
  flag: `--no-dns-${what}`,
  key: `dns_${what}`,
  kind: 'set',
  value: '',
  apart: `dns-${what}`,
  help: `without DNS ${what}`,
})

export const truth = (flag: string, help: string, more: Partial<Option> = {}): Option =>
  text(flag, help, { kind: 'truth', metavar: '{True,False}', ...more })

export const routes = { required: ['destination', 'nexthop'] }
