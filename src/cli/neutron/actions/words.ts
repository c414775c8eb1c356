import type { Option, Positional, Values } from '../arguments.ts'
import { nouns } from '../nouns/nouns.ts'

export const network = nouns['net']!

export const router = nouns['router']!

export const port = nouns['port']!

export const subnet = nouns['subnet']!

export const word = (values: Values, key: string) => String(values[key])

export const named = (key: string, metavar: string, help: string): Positional => ({ key, metavar, help })

export const routerWord = named('router', 'ROUTER', 'name or id of the router')

export const tenantOptions: Option[] = [
  { flag: '--tenant-id', hasOldSpelling: true, key: 'tenant_id', kind: 'text', metavar: 'tenant-id', help: 'id of the project' },
]

export const tenantWord: Positional = { key: 'pos_tenant_id', metavar: 'TENANT_ID', many: 'optional' }
