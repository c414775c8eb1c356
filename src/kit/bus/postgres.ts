import type { Log } from '../log.ts'
import { type Bus, memoryBus } from './bus.ts'

const channel = 'altostack_hints'
const retryMs = 1000

/**
 * Between controllers over one PostgreSQL: LISTEN/NOTIFY on one channel, beside the in-process bus. A payload holds 8,000 bytes
 * (PostgreSQL manual, NOTIFY), so hints are ids, not bodies. A lost connection is opened again each second until it is there.
 */
export async function postgresBus(url: string, log: Log): Promise<Bus> {
  const { default: pg } = await import('pg')
  type Client = InstanceType<typeof pg.Client>
  const local = memoryBus()
  const me = Math.random().toString(36).slice(2)
  let client: Client | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const hear = (payload: string | undefined) => {
    const [from, topic, ...text] = (payload ?? '').split(' ')
    if (from !== me && topic) local.publish(topic, text.join(' '))
  }
  const connect = async () => {
    const next = new pg.Client({ connectionString: url })
    next.on('error', () => lose(next))
    next.on('notification', ({ payload }) => hear(payload))
    try {
      await next.connect()
      await next.query(`listen ${channel}`)
    } catch (error) {
      next.end().catch(() => {})
      throw error
    }
    client = next
  }
  const connectLater = () => {
    if (!closed) timer = setTimeout(() => void connect().catch(connectLater), retryMs)
  }
  const lose = (lost: Client) => {
    if (client !== lost) return
    client = undefined
    if (!closed) log.warn({}, 'lost the hint channel')
    connectLater()
  }

  /** A client takes one query at a time: what comes meanwhile goes with the next, and the same hint goes once. */
  const waiting = new Set<string>()
  let sending = false
  const send = async () => {
    if (sending) return
    sending = true
    while (waiting.size > 0) {
      const payloads = [...waiting]
      waiting.clear()
      await client?.query('select pg_notify($1, hint) from unnest($2::text[]) as hint', [channel, payloads]).catch(() => {})
    }
    sending = false
  }

  await connect()
  return {
    publish(topic, text) {
      local.publish(topic, text)
      waiting.add(`${me} ${topic} ${text}`)
      void send()
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
