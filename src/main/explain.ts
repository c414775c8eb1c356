import { isoSeconds } from '../kit/clock.ts'
import { fromJson } from '../kit/db/columns.ts'
import { Problem } from '../kit/errors.ts'
import type { Cloud } from './cloud.ts'

export type Explainable = { kind: 'server' | 'port' | 'network' | 'image'; id: string }

export type Explanation = {
  /** What it is and how it is, as sentences. */
  summary: string[]
  /** Its life, oldest first. */
  life: { at: string; what: string; detail: string[]; request: string }[]
}

/** The life of a thing as a time line with reasons, and what is known about it now. Throws not-found when nobody ever heard of it. */
export async function explain(cloud: Cloud, { kind, id }: Explainable): Promise<Explanation> {
  const summary = await summaryOf(cloud, kind, id)
  const rows = await cloud.work.history(id)
  if (summary.length === 0 && rows.length === 0) throw new Problem('not-found', `There is no ${kind} ${id}, and never was.`)
  return {
    summary: summary.length > 0 ? summary : [`The ${kind} is gone.`],
    life: rows.map((row) => ({
      at: isoSeconds(row.at),
      what: sentence(row.from_state, row.to_state, row.reason),
      detail: row.detail === '' ? [] : lines(fromJson(row.detail)),
      request: row.request_id,
    })),
  }
}

const sentence = (from: string, to: string, reason: string): string => {
  const move = from === to ? '' : to === '' ? `${from}: done` : `${from || 'asked for'} -> ${to}`
  return [move, reason].filter((part) => part !== '').join(': ')
}

/** `{ "host-1": "not enough memory" }` as lines, whatever its shape. */
const lines = (detail: unknown): string[] => {
  if (typeof detail !== 'object' || detail === null) return [String(detail)]
  return Object.entries(detail).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
}

async function summaryOf(cloud: Cloud, kind: Explainable['kind'], id: string): Promise<string[]> {
  const { images, compute, network } = cloud.contracts
  if (kind === 'server') return compute.explain({ id })
  if (kind === 'image') {
    const image = await images.show({ id })
    return image ? [`Image ${image.name ?? ''} is ${image.status}, ${image.visibility}, ${image.sizeBytes ?? 0} bytes.`] : []
  }
  return network.explain({ kind, id })
}
