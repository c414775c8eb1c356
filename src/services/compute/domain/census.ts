import { pageAsk } from '../../../kit/db/listing.ts'
import type { Db } from '../../../kit/db/open.ts'
import type { Census } from '../contract.ts'
import type { ComputeTables } from '../tables.ts'
import type { Aggregates } from './aggregates.ts'
import { type Flavors, flavorListing } from './flavors.ts'
import type { ComputeHosts } from './hosts.ts'
import { zoneOf } from './scheduling.ts'
import { type Server, serverOf } from './server.ts'

type Needs = { db: Db<ComputeTables>; hosts: ComputeHosts; aggregates: Aggregates; flavors: Flavors }

/** All hosts, guests and flavors there are, whoever they belong to. */
export async function takeCensus({ db, hosts, aggregates, flavors }: Needs): Promise<Census> {
  const zones = await aggregates.zones()
  const rows = await db.read.selectFrom('compute_server').selectAll().where('deleted', '=', 0).orderBy('created_at').execute()
  const all = { projectId: undefined, all: true, isPublic: undefined }
  return {
    hosts: (await hosts.list()).map(({ name, facts }) => ({
      name,
      zone: zoneOf(zones, name),
      vcpus: facts.cpus,
      memoryMb: facts.memoryMb,
      diskGb: facts.diskGb,
    })),
    guests: rows.map(serverOf).map((server) => guestOf(server, server.host === '' ? server.zone : zoneOf(zones, server.host))),
    flavors: (await flavors.list(all, pageAsk(flavorListing, { limit: ['1000'] }))).flavors,
  }
}

const guestOf = (server: Server, zone: string): Census['guests'][number] => ({
  id: server.id,
  name: server.name,
  host: server.host,
  zone,
  flavor: server.flavor.name,
  vcpus: server.flavor.vcpus,
  memoryMb: server.flavor.memoryMb,
  diskGb: server.flavor.rootGb + server.flavor.ephemeralGb,
  state: server.vmState,
  launchedAt: server.launchedAt,
  image: server.image.id,
  projectId: server.projectId,
  userId: server.userId,
  index: server.launchIndex,
})
