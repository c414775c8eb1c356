import { Problem } from '../../../kit/errors.ts'
import type { Network, NicAsk } from '../contract.ts'
import type { NetworkRow, SubnetRow } from '../tables.ts'
import { canonicalIp, parseCidr, parseIp } from './ip.ts'
import { findNetwork } from './networks.ts'
import { addressesOf } from './ports.ts'
import type { On, Store } from './store.ts'

type Check = Parameters<Network['check']>[0]

export const check =
  (store: Store) =>
  async (ask: Check): Promise<NicAsk[]> => {
    const nics = ask.nics.length === 0 && ask.auto ? await onlyNetwork(store.read, ask.projectId) : ask.nics
    const checked: NicAsk[] = []
    for (const nic of nics) checked.push(await checkNic(store.read, ask, nic))
    await checkRoom(store, ask, checked)
    return checked
  }

/** What a server gets that asked for nothing: the one network there is. */
async function onlyNetwork(on: On, projectId: string): Promise<NicAsk[]> {
  const networks = await on
    .selectFrom('network_network')
    .select('id')
    .where('external', '=', 0)
    .where((eb) => eb.or([eb('project_id', '=', projectId), eb('shared', '=', 1)]))
    .limit(2)
    .execute()
  if (networks.length > 1)
    throw new Problem('conflict', 'Multiple possible networks found, use a Network ID to be more specific.')
  return networks.map(({ id }) => ({ network: id }))
}

async function checkNic(on: On, ask: Check, nic: NicAsk): Promise<NicAsk> {
  if (nic.port !== undefined) return checkOwnPort(on, ask, nic, nic.port)
  const network = nic.network === undefined ? undefined : await findNetwork(on, nic.network)
  const own = network && (ask.isAdmin || network.project_id === ask.projectId)
  if (!network || !(own || network.shared === 1 || network.external === 1))
    throw new Problem('invalid', `Network ${nic.network} could not be found.`)
  if (network.external === 1 && !own && network.shared === 0)
    throw new Problem('forbidden', `It is not allowed to create an interface on external network ${network.id}`)
  const subnets = await on.selectFrom('network_subnet').selectAll().where('network_id', '=', network.id).execute()
  if (subnets.length === 0) throw new Problem('invalid', `Network ${network.id} requires a subnet in order to boot instances on.`)
  if (nic.fixedIp === undefined) return nic
  await checkFixedIp(on, ask, network, subnets, nic.fixedIp)
  return { ...nic, fixedIp: canonicalIp(nic.fixedIp)! }
}

async function checkFixedIp(on: On, ask: Check, network: NetworkRow, subnets: SubnetRow[], text: string): Promise<void> {
  const ip = parseIp(text)
  if (!ip) throw new Problem('invalid', `Fixed IP ${text} is not a valid ip address.`)
  const inside = subnets.some(({ cidr }) => {
    const range = parseCidr(cidr)!
    return range.version === ip.version && range.first <= ip.value && ip.value <= range.last
  })
  if (!inside) throw new Problem('invalid', `Fixed IP ${text} is not a valid ip address for network ${network.id}.`)
  if (ask.servers > 1) throw new Problem('invalid', 'A fixed address can be had by one server only.')
  const taken = await on
    .selectFrom('network_address')
    .select('port_id')
    .where('network_id', '=', network.id)
    .where('ip', '=', canonicalIp(text)!)
    .executeTakeFirst()
  if (taken) throw new Problem('invalid', `Fixed IP address ${text} is already in use on instance or port ${taken.port_id}.`)
}

async function checkOwnPort(on: On, ask: Check, nic: NicAsk, id: string): Promise<NicAsk> {
  const port = await on.selectFrom('network_port').selectAll().where('id', '=', id).executeTakeFirst()
  if (!port || !(ask.isAdmin || port.project_id === ask.projectId))
    throw new Problem('invalid', `Port id ${id} could not be found.`)
  if (port.device_id !== '') throw new Problem('conflict', `Port ${id} is still in use.`)
  if ((await addressesOf(on, id)).length === 0) throw new Problem('invalid', `Port ${id} requires a FixedIP in order to be used.`)
  if (ask.servers > 1) throw new Problem('invalid', 'A port can be had by one server only.')
  return { ...nic, network: port.network_id }
}

async function checkRoom(store: Store, ask: Check, nics: NicAsk[]): Promise<void> {
  const more = nics.filter((nic) => nic.port === undefined).length * ask.servers
  if (more === 0) return
  await store
    .change(({ tx, quota }) => quota.allow(tx, ask.projectId, { port: more }))
    .catch((error: unknown) => {
      if (error instanceof Problem && error.kind === 'over-quota')
        throw new Problem('over-quota', 'Maximum number of ports exceeded', { cause: error, detail: error.detail })
      throw error
    })
}
