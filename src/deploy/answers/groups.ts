type Values = ReadonlyMap<string, string>

const is =
  (name: string, value = 'y') =>
  (values: Values) =>
    values.get(name) === value
const isSet = (name: string) => (values: Values) => (values.get(name) ?? '') !== ''
const has = (name: string, word: string) => (values: Values) => (values.get(name) ?? '').split(',').includes(word)
const all =
  (...tests: ((values: Values) => boolean)[]) =>
  (values: Values) =>
    tests.every((test) => test(values))
const some =
  (...tests: ((values: Values) => boolean)[]) =>
  (values: Values) =>
    tests.some((test) => test(values))

const cinder = (backend: string) => all(is('CONFIG_CINDER_INSTALL'), has('CONFIG_CINDER_BACKEND', backend))
const netapp = (family: string, ...protocols: string[]) =>
  all(
    cinder('netapp'),
    some(...family.split('|').map((one) => is('CONFIG_CINDER_NETAPP_STORAGE_FAMILY', one))),
    some(...(protocols.length === 0 ? [() => true] : protocols.map((one) => is('CONFIG_CINDER_NETAPP_STORAGE_PROTOCOL', one)))),
  )
const manila = (backend: string) => all(is('CONFIG_MANILA_INSTALL'), has('CONFIG_MANILA_BACKEND', backend))
const shares = (value: string) => all(manila('netapp'), is('CONFIG_MANILA_NETAPP_DRV_HANDLES_SHARE_SERVERS', value))
const neutron = (agent: string) => all(is('CONFIG_NEUTRON_INSTALL'), is('CONFIG_NEUTRON_L2_AGENT', agent))

/** When packstack reads a group of parameters; those not named here, always. */
const conditions: Record<string, (values: Values) => boolean> = {
  VMWARE: all(is('CONFIG_NOVA_INSTALL'), is('CONFIG_VMWARE_BACKEND')),
  UNSUPPORTED: is('CONFIG_UNSUPPORTED'),
  RHSM: some(isSet('CONFIG_RH_USER'), isSet('CONFIG_RH_SAT6_SERVER')),
  RHSM_PROXY: isSet('CONFIG_RH_PROXY'),
  SATELLITE: isSet('CONFIG_SATELLITE_URL'),
  SATELLITE_PROXY: isSet('CONFIG_SATELLITE_PROXY'),
  AMQPAUTH: is('CONFIG_AMQP_ENABLE_AUTH'),
  KEYSTONE_LDAP: is('CONFIG_KEYSTONE_IDENTITY_BACKEND', 'ldap'),
  GLANCE: is('CONFIG_GLANCE_INSTALL'),
  CINDER: is('CONFIG_CINDER_INSTALL'),
  CINDERVOLUMECREATE: cinder('lvm'),
  CINDERVOLUMENAME: cinder('lvm'),
  CINDERVOLUMESIZE: cinder('lvm'),
  CINDERNFSMOUNTS: cinder('nfs'),
  CINDERNETAPPMAIN: cinder('netapp'),
  CINDERNETAPPONTAPISCSI: netapp('ontap_cluster|ontap_7mode', 'iscsi'),
  CINDERNETAPPNFS: netapp('ontap_cluster|ontap_7mode|eseries', 'nfs'),
  CINDERNETAPPISCSI7MODE: netapp('ontap_7mode', 'iscsi'),
  CINDERNETAPP7MODEFC: netapp('ontap_7mode', 'fc'),
  CINDERNETAPPVSERVER: netapp('ontap_cluster', 'nfs', 'iscsi'),
  CINDERNETAPPESERIES: netapp('eseries'),
  CINDERSOLIDFIRE: cinder('solidfire'),
  IRONIC: is('CONFIG_IRONIC_INSTALL'),
  NOVA: is('CONFIG_NOVA_INSTALL'),
  NEUTRON_OVS_AGENT: neutron('openvswitch'),
  NEUTRON_OVS_AGENT_TUNNEL: neutron('openvswitch'),
  NEUTRON_OVS_AGENT_VXLAN: all(neutron('openvswitch'), has('CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES', 'vxlan')),
  NEUTRON_OVN_AGENT: neutron('ovn'),
  NEUTRON_OVN_AGENT_TUNNEL: neutron('ovn'),
  MANILA: is('CONFIG_MANILA_INSTALL'),
  MANILANETAPP: manila('netapp'),
  MANILANETAPPMULTISVM: shares('true'),
  MANILANETAPPSINGLESVM: shares('false'),
  MANILAGENERIC: manila('generic'),
  MANILANETWORK: is('CONFIG_MANILA_INSTALL'),
  MANILANETWORKSTANDALONE: all(is('CONFIG_MANILA_INSTALL'), is('CONFIG_MANILA_NETWORK_TYPE', 'standalone')),
  MANILAGLUSTERNATIVE: manila('glusternative'),
  MANILAGLUSTERNFS: manila('glusternfs'),
  OSHORIZON: is('CONFIG_HORIZON_INSTALL'),
  OSSSL: is('CONFIG_HORIZON_SSL'),
  OSSWIFT: is('CONFIG_SWIFT_INSTALL'),
  Heat: is('CONFIG_HEAT_INSTALL'),
  PROVISION_DEMO: is('CONFIG_PROVISION_DEMO'),
  PROVISION_TEMPEST: is('CONFIG_PROVISION_TEMPEST'),
  GNOCCHI: is('CONFIG_CEILOMETER_INSTALL'),
  CEILOMETER: is('CONFIG_CEILOMETER_INSTALL'),
  REDIS: all(is('CONFIG_CEILOMETER_INSTALL'), is('CONFIG_CEILOMETER_COORDINATION_BACKEND', 'redis')),
  AODH: all(is('CONFIG_CEILOMETER_INSTALL'), is('CONFIG_AODH_INSTALL')),
  Trove: is('CONFIG_TROVE_INSTALL'),
  MAGNUM: is('CONFIG_MAGNUM_INSTALL'),
}

/** Values of a group that is not read may be what they want. */
export const isGroupActive = (group: string, values: Values): boolean => conditions[group]?.(values) ?? true
