import type { Clock } from '../../../kit/clock.ts'
import { toJson } from '../../../kit/db/columns.ts'
import { hexId } from '../../../kit/ids.ts'
import type { Passwords } from '../../../kit/password/password.ts'
import type { Identity } from '../contract.ts'
import type { IdentityTx } from '../tables.ts'
import { ours } from './names.ts'
import type { Store } from './store.ts'

export const defaultDomainId = 'default'

type Ask = Parameters<Identity['bootstrap']>[0]

const roleNames = ['admin', 'manager', 'member', 'reader', 'service']
/** Each implies the next. */
const chain = ['admin', 'manager', 'member', 'reader']

/** What a cloud cannot be used without. Finds by name what is there already, so that it may run at each start. */
export const bootstrap =
  (store: Store, passwords: Passwords, clock: Clock) =>
  async (ask: Ask): Promise<{ adminUserId: string; adminProjectId: string }> => {
    const known = await store.read
      .selectFrom('identity_user')
      .select('id')
      .where('name', '=', 'admin')
      .where('domain_id', '=', defaultDomainId)
      .executeTakeFirst()
    const passwordHash = known ? '' : await passwords.hash(ask.adminPassword)
    return store.write(async (tx) => {
      await ensureDomain(tx, clock)
      const roles = await ensureRoles(tx, clock)
      const adminProjectId = await ensureProject(tx, clock)
      const adminUserId = await ensureUser(tx, clock, passwordHash)
      for (const target of [
        { target: 'project', target_id: adminProjectId },
        { target: 'system', target_id: 'all' },
      ] as const)
        await tx
          .insertInto('identity_assignment')
          .values({ actor: 'user', actor_id: adminUserId, ...target, role_id: roles.get('admin')!, inherited: 0 })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      await ensureCatalog(tx, clock, ask)
      return { adminUserId, adminProjectId }
    })
  }

async function ensureDomain(tx: IdentityTx, clock: Clock): Promise<void> {
  await tx
    .insertInto('identity_project')
    .values({
      id: defaultDomainId,
      name: 'Default',
      domain_id: '',
      parent_id: '',
      is_domain: 1,
      enabled: 1,
      description: 'The default domain',
      options: '{}',
      extra: '{}',
      created_at: clock.now(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function ensureRoles(tx: IdentityTx, clock: Clock): Promise<Map<string, string>> {
  const options = toJson({ immutable: true })
  for (const name of roleNames)
    await tx
      .insertInto('identity_role')
      .values({ id: hexId(), name, domain_id: '', description: null, options, extra: '{}', created_at: clock.now() })
      .onConflict((conflict) => conflict.columns(['domain_id', 'name']).doNothing())
      .execute()
  const rows = await tx.selectFrom('identity_role').select(['id', 'name']).where('domain_id', '=', '').execute()
  const roles = new Map(rows.map((row) => [row.name, row.id]))
  for (const [at, name] of chain.slice(0, -1).entries())
    await tx
      .insertInto('identity_implied_role')
      .values({ prior_id: roles.get(name)!, implied_id: roles.get(chain[at + 1]!)! })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  return roles
}

async function ensureProject(tx: IdentityTx, clock: Clock): Promise<string> {
  await tx
    .insertInto('identity_project')
    .values({
      id: hexId(),
      name: 'admin',
      domain_id: defaultDomainId,
      parent_id: defaultDomainId,
      is_domain: 0,
      enabled: 1,
      description: 'Bootstrap project for initializing the cloud.',
      options: '{}',
      extra: '{}',
      created_at: clock.now(),
    })
    .onConflict((conflict) => conflict.columns(['domain_id', 'name']).doNothing())
    .execute()
  const project = tx
    .selectFrom('identity_project')
    .select('id')
    .where('name', '=', 'admin')
    .where('domain_id', '=', defaultDomainId)
  return (await project.executeTakeFirstOrThrow()).id
}

async function ensureUser(tx: IdentityTx, clock: Clock, passwordHash: string): Promise<string> {
  const user = tx.selectFrom('identity_user').select('id').where('name', '=', 'admin').where('domain_id', '=', defaultDomainId)
  const known = await user.executeTakeFirst()
  if (known) return known.id
  await tx
    .insertInto('identity_user')
    .values({
      id: hexId(),
      name: 'admin',
      domain_id: defaultDomainId,
      enabled: 1,
      default_project_id: '',
      password_hash: passwordHash,
      password_expires_at: 0,
      password_created_at: clock.now(),
      password_self_service: 0,
      failed_count: 0,
      failed_at: 0,
      last_active_at: clock.now(),
      options: '{}',
      extra: '{}',
      created_at: clock.now(),
      ...ours,
    })
    .execute()
  return (await user.executeTakeFirstOrThrow()).id
}

async function ensureCatalog(tx: IdentityTx, clock: Clock, { region, services }: Ask): Promise<void> {
  await tx
    .insertInto('identity_region')
    .values({ id: region, description: '', parent_id: '', extra: '{}', created_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  for (const { type, name, url } of services) {
    const serviceId = await ensureService(tx, clock, type, name)
    for (const face of ['public', 'internal', 'admin'] as const) await ensureEndpoint(tx, clock, serviceId, region, face, url)
  }
}

async function ensureService(tx: IdentityTx, clock: Clock, type: string, name: string): Promise<string> {
  const known = await tx
    .selectFrom('identity_service')
    .select('id')
    .where('type', '=', type)
    .orderBy('created_at')
    .executeTakeFirst()
  if (known) return known.id
  const id = hexId()
  await tx
    .insertInto('identity_service')
    .values({ id, type, enabled: 1, extra: toJson({ name }), created_at: clock.now() })
    .execute()
  return id
}

type Face = 'public' | 'internal' | 'admin'

async function ensureEndpoint(
  tx: IdentityTx,
  clock: Clock,
  serviceId: string,
  region: string,
  face: Face,
  url: string,
): Promise<void> {
  const moved = await tx
    .updateTable('identity_endpoint')
    .set({ url })
    .where('service_id', '=', serviceId)
    .where('region_id', '=', region)
    .where('interface', '=', face)
    .executeTakeFirst()
  if (moved.numUpdatedRows > 0n) return
  await tx
    .insertInto('identity_endpoint')
    .values({
      id: hexId(),
      service_id: serviceId,
      interface: face,
      region_id: region,
      url,
      enabled: 1,
      extra: '{}',
      created_at: clock.now(),
    })
    .execute()
}
