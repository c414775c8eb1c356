import type { HostInventory } from '../agents/document.ts'
import { Problem } from '../kit/errors.ts'
import type { Hosts } from '../services/service.ts'
import type { Cloud } from './cloud.ts'
import { compare } from './doctor.ts'
import { type Explainable, explain } from './explain.ts'

/** What `altostack` and `nova-manage` ask of a controller. Hosts may not: an operator's call carries no host name. */
export function operatorCalls(cloud: Cloud, hosts: Hosts, connected: () => string[], broken: () => string[] = () => []) {
  const forOperators =
    <Ask, Value>(run: (ask: Ask) => Promise<Value>) =>
    async (host: string, ask: Ask) => {
      if (host !== '') throw new Problem('forbidden', 'This is for operators.')
      return run(ask)
    }
  return {
    explain: forOperators((ask: Explainable) => explain(cloud, ask)),
    doctor: forOperators(async () => {
      const { problems } = await doctor(cloud, hosts, connected())
      return { problems: [...broken(), ...problems] }
    }),
    hosts: forOperators(async () => connected()),
    rotateKeys: forOperators(() => cloud.contracts.identity.rotateKeys({})),
    restoreImage: forOperators((ask: { id: string }) => cloud.contracts.images.restore(ask)),
    services: forOperators(() => cloud.contracts.compute.services()),
    enableService: forOperators((ask: { host: string; binary: string; enabled: boolean }) =>
      cloud.contracts.compute.enableService(ask),
    ),
    census: forOperators(() => cloud.contracts.compute.census()),
  }
}

export async function doctor(cloud: Cloud, hosts: Hosts, names: string[]): Promise<{ problems: string[] }> {
  const audits = []
  for (const service of Object.values(cloud.services)) if (service.audit) audits.push(await service.audit())
  const inventories: { host: string; inventory: HostInventory | undefined }[] = []
  const question = { ask: 'inventory', what: 'everything-of-ours' } as const
  for (const host of names)
    inventories.push({
      host,
      inventory: await hosts.ask(host, question).then(
        (value) => value as HostInventory,
        () => undefined,
      ),
    })
  return { problems: compare(audits, inventories) }
}
