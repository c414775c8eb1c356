import type { Option } from '../arguments.ts'
import { lines, plain } from './noun.ts'
import { description, name, named, shared, text, truth } from './options.ts'

const prefixes: Option[] = [
  description,
  { flag: '--min-prefixlen', key: 'min_prefixlen', kind: 'integer', help: 'shortest prefix given' },
  { flag: '--max-prefixlen', key: 'max_prefixlen', kind: 'integer', help: 'longest prefix given' },
  { flag: '--default-prefixlen', key: 'default_prefixlen', kind: 'integer', help: 'prefix given when none is asked for' },
  truth('--is-default', 'whether it is the default pool'),
]

const poolPrefix: Option = {
  flag: '--pool-prefix',
  key: 'prefixes',
  kind: 'many',
  metavar: 'PREFIXES',
  help: 'a range of the pool; may be repeated',
}

export const scope = text('--address-scope', 'name or id of its address scope', {
  key: 'address_scope_id',
  of: 'address_scope',
  apart: 'scope',
  metavar: 'ADDRSCOPE',
})

export const subnetpool = plain(
  'subnetpool',
  '/subnetpools',
  ['id', 'name', 'prefixes', 'default_prefixlen', 'address_scope_id', 'is_default'],
  {
    cells: { prefixes: lines('prefixes', String) },
    create: { positionals: [named('its name')], options: [...prefixes, { ...poolPrefix, isRequired: true }, shared, scope] },
    update: {
      options: [
        ...prefixes,
        poolPrefix,
        name,
        scope,
        {
          flag: '--no-address-scope',
          key: 'address_scope_id',
          kind: 'set',
          value: null,
          apart: 'scope',
          help: 'without address scope',
        },
      ],
    },
  },
)

export const addressScope = plain('address_scope', '/address-scopes', ['id', 'name', 'ip_version'], {
  create: {
    positionals: [
      named('its name'),
      { key: 'ip_version', metavar: 'IP_VERSION', kind: 'integer', choices: ['4', '6'], help: '4 or 6' },
    ],
    options: [shared],
  },
  update: { options: [name, truth('--shared', 'whether every project may use it')] },
})
