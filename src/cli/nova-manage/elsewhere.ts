/** What the original does and this cloud does not: what there is instead. `done`: nothing has to be done, and scripts may go on. */
export type Elsewhere = { says: string; done?: true }

const schema = {
  says: 'The database is brought up to date by each controller when it starts: there is nothing to do.',
  done: true,
} as const
const cells = { says: 'There is one cell, and it is set up: there is nothing to do.', done: true } as const
const networks = {
  says: 'Networks are the business of the network service: neutron net-list, or openstack network list.',
}
const floating = {
  says: 'Floating IPs are the business of the network service: neutron floatingip-list, or openstack floating ip list.',
}
const quota = { says: 'Quotas are told and set by the API: openstack quota show PROJECT, openstack quota set.' }
const logs = { says: 'Logs are in /var/log/altostack; why something is as it is, tells altostack explain.' }
const sound = { says: 'Whether database, hosts and placement agree, tells altostack doctor.' }
const flavors = { says: 'Flavors are made by the API: openstack flavor create, set, unset and delete.' }
const agents = { says: 'There are no guest agents of the hypervisor here. Agents of the network: neutron agent-list.' }

/** By `category action`, or by category alone. */
export const elsewhere: Record<string, Elsewhere> = {
  'db sync': schema,
  'db online_data_migrations': schema,
  'api_db sync': schema,
  'db version': { says: 'The database has no version of its own: its schema is that of the running program.' },
  'api_db version': { says: 'There is one database, and its schema is that of the running program.' },
  'db archive_deleted_rows': { says: 'There are no shadow tables to move rows to: there is nothing to do.', done: true },
  'db purge': { says: 'There are no shadow tables to purge: there is nothing to do.', done: true },
  db: schema,
  api_db: schema,
  'cell_v2 map_cell0': cells,
  'cell_v2 simple_cell_setup': cells,
  'cell_v2 map_cell_and_hosts': cells,
  'cell_v2 map_instances': cells,
  'cell_v2 create_cell': { says: 'There is one cell; more room is more hosts: packstack with CONFIG_COMPUTE_HOSTS.' },
  'cell_v2 delete_cell': { says: 'There is one cell, and it stays.' },
  'cell_v2 update_cell': { says: 'There is one cell; where its database is, is told by /etc/altostack/altostack.json.' },
  'cell_v2 delete_host': {
    says: 'A host is taken away by packstack --remove-host HOST, or openstack compute service delete ID.',
  },
  cell: {
    says: 'There are no cells to route between; ask for hosts with nova-manage cell_v2 list_hosts or the openstack client.',
  },
  account: quota,
  project: quota,
  agent: agents,
  fixed: { says: 'Addresses of guests are ports: neutron port-list, or openstack port list.' },
  floating,
  network: networks,
  flavor: flavors,
  logs,
  shell: { says: 'There is no shell into the program: use the openstack client, and altostack for looking inside.' },
  vpn: { says: 'There is no VPN of nova-network: run one in a server and give it a floating IP.' },
  placement: sound,
  libvirt: { says: 'There is no libvirt: QEMU is driven directly, and a guest keeps the machine type it was made with.' },
  volume_attachment: { says: 'Attachments are told by the API: openstack server volume list SERVER.' },
  image_property: { says: 'Properties of images are told and set by the API: openstack image show, openstack image set.' },
  limits: quota,
}
