import { type Command, idOf } from '../command.ts'
import { nounOf, nouns } from '../nouns/nouns.ts'
import { createCommand } from '../verbs.ts'
import { word } from './words.ts'

const rbacKinds: Record<string, { noun: string; type: string }> = {
  network: { noun: 'network', type: 'network' },
  'qos-policy': { noun: 'qos_policy', type: 'qos_policy' },
}

export const rbacCreate: Command = createCommand(
  {
    ...nouns['rbac']!,
    create: {
      positionals: [{ key: 'name', field: '', metavar: 'RBAC_OBJECT', help: 'name or id of what is shared' }],
      options: [
        {
          flag: '--type',
          key: 'type',
          field: '',
          kind: 'text',
          choices: Object.keys(rbacKinds),
          isLowered: true,
          isRequired: true,
          help: 'kind of what is shared',
        },
        {
          flag: '--target-tenant',
          key: 'target_tenant',
          kind: 'text',
          preset: '*',
          help: 'id of the project it is shared with, default all',
        },
        {
          flag: '--action',
          key: 'action',
          kind: 'text',
          choices: ['access_as_external', 'access_as_shared'],
          isLowered: true,
          isRequired: true,
          help: 'what may be done with it',
        },
      ],
    },
  },
  {
    async finish(body, { cloud, values }) {
      const { noun, type } = rbacKinds[word(values, 'type')]!
      const { tenant_id: _, ...rest } = body
      return { object_id: await idOf(cloud, nounOf(noun), word(values, 'name')), object_type: type, ...rest }
    },
  },
)
