import type { Row } from '../../output.ts'
import { type Ask, listAll } from '../command.ts'
import { subnet } from './words.ts'

/** A network's subnets with their ranges. */
export async function withSubnets(rows: Row[], { cloud }: Pick<Ask, 'cloud'>): Promise<Row[]> {
  const ids = rows.flatMap((row) => (Array.isArray(row['subnets']) ? (row['subnets'] as string[]) : []))
  const found = new Map<unknown, Row>()
  // So many ids fit into the longest address every proxy lets through.
  for (let from = 0; from < ids.length; from += 100)
    for (const one of await listAll(cloud, subnet, { fields: ['id', 'cidr'], id: ids.slice(from, from + 100) }))
      found.set(one['id'], one)
  return rows.map((row) =>
    Array.isArray(row['subnets']) ? { ...row, subnets: (row['subnets'] as string[]).map((id) => found.get(id) ?? { id }) } : row,
  )
}
