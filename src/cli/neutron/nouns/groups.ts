import type { Noun } from './noun.ts'
import { description, name, named, old, text } from './options.ts'

export const securityGroup: Noun = {
  name: 'security_group',
  plural: 'security_groups',
  path: '/security-groups',
  columns: ['id', 'name', 'security_group_rules'],
  indent: 5,
  create: { positionals: [named('its name')], options: [description] },
  update: { options: [name, description] },
}

export const securityGroupRule: Noun = {
  name: 'security_group_rule',
  plural: 'security_group_rules',
  path: '/security-group-rules',
  columns: ['id', 'security_group_id', 'direction', 'ethertype', 'port/protocol', 'remote'],
  hasNames: false,
  create: {
    positionals: [{ key: 'security_group_id', metavar: 'SECURITY_GROUP', of: 'security_group', help: 'name or id of its group' }],
    options: [
      description,
      text('--direction', 'ingress or egress, default ingress', {
        choices: ['ingress', 'egress'],
        isLowered: true,
        preset: 'ingress',
        metavar: '{ingress,egress}',
      }),
      text('--ethertype', 'IPv4 or IPv6'),
      text('--protocol', 'icmp, icmpv6, tcp, udp or a number', { isLowered: true }),
      text('--port-range-min', 'first port; type of ICMP', old),
      text('--port-range-max', 'last port; code of ICMP', old),
      text('--remote-ip-prefix', 'whom it is about: a range', old),
      text('--remote-group-id', 'whom it is about: a group', { ...old, of: 'security_group', metavar: 'REMOTE_GROUP' }),
    ],
  },
}
