import type { Log } from '../log.ts'
import { type Bus, memoryBus } from './bus.ts'

const channel = 'altostack_hints'

/**
 * Between controllers over one PostgreSQL: LISTEN/NOTIFY on one channel, beside the in-process bus. A payload holds 8,000 bytes
 * (PostgreSQL manual, NOTIFY), so hints are ids, not bodies. A lost connection is opened again after a second.
 */
export async function postgresBus(url: string, log: Log): Promise<Bus> {
  const { default: pg } = await import('pg')
  const local = memoryBus()
  const me = Math.random().toString(36).slice(2)
  let client: InstanceType<typeof pg.Client> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const hear = (payload: string | undefined) => {
    const [from, topic, ...text] = (payload ?? '').split(' ')
    if (from !== me && topic) local.publish(topic, text.join(' '))
  }
  const connect = async () => {
    const next = new pg.Client({ connectionString: url })
    next.on('error', (error) => {
      log.warn({ error: error.message }, 'lost the hint channel')
      if (client === next) client = undefined
      if (!closed) timer = setTimeout(() => void connect().catch(() => {}), 1000)
    })
    next.on('notification', ({ payload }) => hear(payload))
    await next.connect()
    await next.query(`listen ${channel}`)
    client = next
  }
  await connect()
  return {
    publish(topic, text) {
      local.publish(topic, text)
      client?.query('select pg_notify($1, $2)', [channel, `${me} ${topic} ${text}`]).catch(() => {})
    },
    subscribe: local.subscribe,
    async close() {
      closed = true
      clearTimeout(timer)
      await local.close()
      await client?.end().catch(() => {})
    },
  }
}
