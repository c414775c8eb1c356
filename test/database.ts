import { randomUUID } from 'node:crypto'

export type FreshDatabase = { url: string; drop(): Promise<void> }

/** One statement over a connection of its own. */
export const runSql = async (server: string, sql: string) => {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** An empty database for one test: SQLite in memory, or a schema of the PostgreSQL server that ALTOSTACK_TEST_DATABASE names. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = process.env['ALTOSTACK_TEST_DATABASE']
  if (!server) return { url: ':memory:', async drop() {} }
  const schema = `t_${randomUUID().replaceAll('-', '')}`
  await runSql(server, `create schema ${schema}`)
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return { url: url.toString(), drop: () => runSql(server, `drop schema ${schema} cascade`) }
}

/** The same for a cloud: a copy of the database ALTOSTACK_TEST_TEMPLATE where that is named, since making all tables takes half a second there. */
export async function freshCloudDatabase(): Promise<FreshDatabase> {
  const [server, template] = [process.env['ALTOSTACK_TEST_DATABASE'], process.env['ALTOSTACK_TEST_TEMPLATE']]
  if (!server || !template) return freshDatabase()
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await runSql(server, `create database ${name} template ${template}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.toString(), drop: () => runSql(server, `drop database ${name} with (force)`) }
}
