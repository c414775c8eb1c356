import { randomUUID } from 'node:crypto'

export type FreshDatabase = { url: string; drop(): Promise<void> }

/** An empty database for one test: SQLite in memory, or a schema of the PostgreSQL server that ALTOSTACK_TEST_DATABASE names. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = process.env['ALTOSTACK_TEST_DATABASE']
  if (!server) return { url: ':memory:', async drop() {} }
  const { default: pg } = await import('pg')
  const schema = `t_${randomUUID().replaceAll('-', '')}`
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await run(`create schema ${schema}`)
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return { url: url.toString(), drop: () => run(`drop schema ${schema} cascade`) }
}
