import { join } from 'node:path'

/** Where everything of an installed cloud is; `--uninstall` takes away what is named here. */
export type Place = ReturnType<typeof placeAt>

export const user = 'altostack'

/** A line in every text file we write outside our own folders: only what carries it is ever removed. */
export const mark = '# Written by packstack of Altostack.'

/** The paths below another root serve tests; an installation stands at `/`. */
export const placeAt = (root = '/') => {
  const at = (path: string) => join(root, path)
  const config = at('etc/altostack')
  return {
    root,
    config,
    configFile: join(config, 'altostack.json'),
    secretsFile: join(config, 'secrets.json'),
    agentSecretsFile: join(config, 'agent-secrets.json'),
    /** What was asked for last, all of it. */
    answersFile: join(config, 'answers.txt'),
    /** Other hosts that were prepared from here. */
    hostsFile: join(config, 'hosts.json'),
    /** Names of hosts that were ever on the list of compute hosts. */
    computeHostsFile: join(config, 'compute-hosts.json'),
    /** Keys by which we know other hosts again. */
    knownHosts: join(config, 'known_hosts'),
    runs: at('var/tmp/packstack'),
    state: at('var/lib/altostack'),
    agentState: at('var/lib/altostack-agent'),
    image: at('var/lib/altostack/mini.qcow2'),
    imageCache: at('var/cache/altostack'),
    log: at('var/log/altostack'),
    run: at('run/altostack'),
    dhcp: at('run/altostack-dhcp'),
    program: at('opt/altostack'),
    /** Where a command is found by its name. */
    links: at('usr/local/bin'),
    logrotate: at('etc/logrotate.d/altostack'),
    units: at('etc/systemd/system'),
    cloudsYaml: at('etc/openstack/clouds.yaml'),
    home: at('root'),
  }
}

/** Ports an installed cloud listens on. */
export const ports = { identity: 5000, image: 9292, compute: 8774, placement: 8778, network: 9696, link: 8781 }

/** The demo set's outside world, as packstack lays it. */
export const outside = {
  physicalNetwork: 'extnet',
  bridge: 'br-ex',
  cidr: '172.24.4.0/24',
  gateway: '172.24.4.1',
  address: '172.24.4.1/24',
  pool: { start: '172.24.4.10', end: '172.24.4.254' },
}
