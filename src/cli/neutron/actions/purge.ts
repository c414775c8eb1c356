import type { Row } from '../../output.ts'
import { type Cloud, type Command, listAll } from '../command.ts'
import { nouns } from '../nouns/nouns.ts'
import { named, port, router } from './words.ts'

/** What belongs to a project, in the order in which it can be deleted. */
const purged = ['floatingip', 'port', 'router', 'net', 'security-group']

export const purge: Command = {
  summary: 'Delete everything a project has.',
  syntax: { positionals: [named('tenant', 'TENANT', 'id of the project')], options: [] },
  async run({ cloud, values, say }) {
    const [deleted, failed]: [string[], string[]] = [[], []]
    for (const noun of purged.map((name) => nouns[name]!)) {
      const all = await listAll(cloud, noun, {
        fields: ['id', 'tenant_id', ...(noun === port ? ['device_id', 'device_owner'] : [])],
      })
      const mine = all.filter((row) => row['tenant_id'] === values['tenant'])
      let count = 0
      for (const row of mine) count += (await purgeOne(cloud, noun.path, row)) ? 1 : 0
      const counted = (n: number) => `${n} ${noun.name}${n === 1 ? '' : 's'}`
      if (count > 0) deleted.push(counted(count))
      if (count < mine.length) failed.push(counted(mine.length - count))
    }
    const sentences = [
      ...(deleted.length > 0 ? [`Deleted ${deleted.join(', ')}.`] : []),
      ...(failed.length > 0 ? [`The following resources could not be deleted: ${failed.join(', ')}.`] : []),
    ]
    say(`${sentences.length > 0 ? sentences.join(' ') : 'Tenant has no supported resources.'}\n`)
  },
}

async function purgeOne(cloud: Cloud, path: string, row: Row): Promise<boolean> {
  const isInterface = String(row['device_owner'] ?? '').startsWith('network:router_interface')
  const asked = isInterface
    ? cloud.call('PUT', `${router.path}/${row['device_id']}/remove_router_interface`, { body: { port_id: row['id'] } })
    : cloud.call('DELETE', `${path}/${row['id']}`)
  return asked.then(
    () => true,
    () => false,
  )
}
