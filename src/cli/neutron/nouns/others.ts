import type { Row } from '../../output.ts'
import { lines, type Noun, plain } from './noun.ts'
import { description, down, name, named, shared, text } from './options.ts'

export const agent: Noun = {
  name: 'agent',
  plural: 'agents',
  path: '/agents',
  columns: ['id', 'agent_type', 'host', 'availability_zone', 'alive', 'admin_state_up', 'binary'],
  cells: {
    heartbeat_timestamp: (row) =>
      typeof row['heartbeat_timestamp'] === 'string' ? row['heartbeat_timestamp'].split('.')[0]! : '',
  },
  hasNames: false,
  indent: 5,
  update: { options: [{ ...down, hasOldSpelling: false }, description] },
}

export const rbac: Noun = {
  name: 'rbac_policy',
  plural: 'rbac_policies',
  path: '/rbac-policies',
  columns: ['id', 'object_type', 'object_id'],
  hasNames: false,
  update: { options: [text('--target-tenant', 'id of the project it is for')] },
}

export const qosPolicy: Noun = {
  name: 'policy',
  plural: 'policies',
  called: 'qos_policy',
  path: '/qos/policies',
  columns: ['id', 'name'],
  cells: { rules: lines('rules', (item) => `${(item as Row)['id']} (type: ${(item as Row)['type']})`) },
  create: { positionals: [named('its name')], options: [description, shared] },
  update: {
    options: [
      name,
      description,
      { ...shared, apart: 'shared' },
      { flag: '--no-shared', key: 'shared', kind: 'set', value: false, apart: 'shared', help: 'only for its own project' },
    ],
  },
}

export const meterLabel = plain('metering_label', '/metering/metering-labels', ['id', 'name', 'description', 'shared'], {
  create: { positionals: [named('its name')], options: [description, shared] },
})

export const meterRule = plain(
  'metering_label_rule',
  '/metering/metering-label-rules',
  ['id', 'excluded', 'direction', 'remote_ip_prefix'],
  {
    hasNames: false,
    create: {
      positionals: [
        { key: 'metering_label_id', metavar: 'LABEL', of: 'metering_label', help: 'name or id of the label' },
        { key: 'remote_ip_prefix', metavar: 'REMOTE_IP_PREFIX', help: 'the range that is counted' },
      ],
      options: [
        text('--direction', 'ingress or egress, default ingress', {
          choices: ['ingress', 'egress'],
          isLowered: true,
          preset: 'ingress',
        }),
        { flag: '--excluded', key: 'excluded', kind: 'set', help: 'leave this range out' },
      ],
    },
  },
)

export const hostingAgent: Noun = { ...agent, columns: ['id', 'host', 'admin_state_up', 'alive'], cells: {} }
