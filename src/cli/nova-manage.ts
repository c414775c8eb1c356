import { explainError } from '../kit/errors.ts'
import { operatorLink } from './operator-link.ts'

export type ServiceRow = {
  binary: string
  host: string
  zone: string
  enabled: boolean
  up: boolean
  /** Microseconds since 1970; undefined: never. */
  updatedAt: number | undefined
}

/** Column widths of the original; a longer value pushes the rest to the right. */
const widths = [16, 36, 16, 10, 5, 10]
const line = (values: string[]) => values.map((value, at) => value.padEnd(widths[at] ?? 0)).join(' ')

/** The table of `nova-manage service list` as the original prints it. Pure. */
export function serviceTable(rows: ServiceRow[]): string[] {
  const time = (micros: number | undefined) =>
    micros === undefined ? 'None' : new Date(micros / 1000).toISOString().slice(0, 19).replace('T', ' ')
  return [
    line(['Binary', 'Host', 'Zone', 'Status', 'State', 'Updated_At']),
    ...rows.map(({ binary, host, zone, enabled, up, updatedAt }) =>
      line([binary, host, zone, enabled ? 'enabled' : 'disabled', up ? ':-)' : 'XXX', time(updatedAt)]),
    ),
  ]
}

const usage = 'usage: nova-manage service list [--host HOST] [--service BINARY]'

/** Gives the exit code: 0, 1 when the cloud could not be asked, 2 for a command that is not understood. */
export async function novaManage(argv: readonly string[], print = console.log, complain = console.error): Promise<number> {
  const [category, action, ...rest] = argv
  if (category !== 'service' || action !== 'list') {
    complain(
      `${usage}\nOther commands of nova-manage have no meaning here: use the openstack client, and altostack for looking inside.`,
    )
    return 2
  }
  const wanted = (name: string) => {
    const at = rest.indexOf(name)
    return at < 0 ? undefined : rest[at + 1]
  }
  try {
    const link = await operatorLink()
    const rows = (await link.call('services')) as ServiceRow[]
    link.close()
    const [host, binary] = [wanted('--host'), wanted('--service')]
    const kept = rows.filter(
      (row) => (host === undefined || row.host === host) && (binary === undefined || row.binary === binary),
    )
    for (const text of serviceTable(kept)) print(text)
    return 0
  } catch (error) {
    complain(explainError(error))
    return 1
  }
}
