import { standardNamespaces } from './standard.ts'

/** 1 January 2026: standard definitions are older than whatever users make. */
const since = Date.UTC(2026, 0, 1) * 1000

/** Statements that put the standard definitions into empty tables. */
export function standardRows(): string[] {
  const namespaces = standardNamespaces.map(({ namespace, protected: isProtected }, at) => [
    namespace,
    titleOf(namespace.split('::').at(-1)!),
    '',
    'public',
    isProtected ? 1 : 0,
    'admin',
    since + at,
    since + at,
  ])
  const parts = standardNamespaces.flatMap(({ namespace, properties, objects }) => [
    ...Object.entries(properties).map(([name, facts]) => part(namespace, 'property', name, titled(name, facts))),
    ...Object.entries(objects).map(([name, own]) => part(namespace, 'object', name, { properties: allTitled(own) })),
  ])
  const types = new Set(standardNamespaces.flatMap(({ resourceTypes }) => resourceTypes.map(([name]) => name)))
  const associations = standardNamespaces.flatMap(({ namespace, resourceTypes }) =>
    resourceTypes.map(([name, prefix, target]) => [namespace, name, prefix, target, since, since]),
  )
  return [
    insert('image_md_namespace', namespaces),
    insert('image_md_part', parts),
    insert(
      'image_md_resource_type',
      [...types].map((name) => [name, since, since]),
    ),
    insert('image_md_association', associations),
  ]
}

const part = (namespace: string, kind: string, name: string, body: object) => [
  namespace,
  kind,
  name,
  JSON.stringify(body),
  since,
  since,
]

const titled = (name: string, facts: object) => ({ title: titleOf(name), ...facts })

const allTitled = (properties: Record<string, object>) =>
  Object.fromEntries(Object.entries(properties).map(([name, facts]) => [name, titled(name, facts)]))

/** `hw_disk_bus` and `AggregateDiskFilter` in words. */
const titleOf = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .split(/[_:.\s]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
    .trim()

const insert = (table: string, rows: (string | number)[][]): string => {
  const literal = (value: string | number) => (typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`)
  return `insert into ${table} values ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}`
}
