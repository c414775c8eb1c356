import type { Clock } from '../../../kit/clock.ts'
import { fromBit, fromJson, toBit, toJson } from '../../../kit/db/columns.ts'
import { Problem } from '../../../kit/errors.ts'
import type { IdentityTx } from '../tables.ts'
import { domainOptions, isGroup, isOption, isSensitive } from './domain-options.ts'
import { directoryChanged } from './ldap/switch.ts'
import type { Reader } from './names.ts'
import type { SecretBox } from './secret-box.ts'
import type { Store } from './store.ts'

/** Group to option to value. */
export type DomainConfig = Record<string, Record<string, unknown>>

/** Nothing: all of it. A group, or one option of it. */
export type Part = { group?: string | undefined; option?: string | undefined }

export type DomainConfigs = {
  /** Without what is sensitive. Throws not-found when there is nothing, forbidden for what no domain may set. */
  get(domainId: string, part: Part): Promise<DomainConfig>
  /** In place of what there was; `isNew` when there was nothing. */
  put(domainId: string, config: DomainConfig): Promise<{ config: DomainConfig; isNew: boolean }>
  /** A group or option that is named must be there already, and nothing else may be in `config`. */
  update(domainId: string, config: DomainConfig, part: Part): Promise<DomainConfig>
  remove(domainId: string, part: Part): Promise<void>
  defaults(part: Part): DomainConfig
}

const invalid = (reason: string): Problem => new Problem('forbidden', `Invalid domain specific configuration: ${reason}.`)

export function openDomainConfigs(store: Store, box: SecretBox, clock: Clock): DomainConfigs {
  const settle = async (tx: IdentityTx, domainId: string) => {
    if (!(await directoryChanged(tx, domainId, clock)))
      throw invalid('The domain has users or groups of its own, so that they cannot come from LDAP')
  }
  const rowsOf = async (read: Reader, domainId: string, { group, option }: Part) => {
    let query = read.selectFrom('identity_domain_option').selectAll().where('domain_id', '=', domainId)
    if (group !== undefined) query = query.where('group_name', '=', group)
    if (option !== undefined) query = query.where('option_name', '=', option)
    return query.orderBy('group_name').orderBy('option_name').execute()
  }
  const shown = async (read: Reader, domainId: string, part: Part): Promise<DomainConfig> => {
    const config: DomainConfig = {}
    for (const row of await rowsOf(read, domainId, part)) {
      if (fromBit(row.sensitive)) continue
      config[row.group_name] = { ...config[row.group_name], [row.option_name]: fromJson(row.value) }
    }
    return config
  }
  const set = async (tx: IdentityTx, domainId: string, config: DomainConfig) => {
    for (const [group, options] of Object.entries(config))
      for (const [option, value] of Object.entries(options)) {
        const secret = isSensitive(group, option)
        const text = secret ? await box.seal(tx, domainId, toJson(value)) : toJson(value)
        await tx
          .insertInto('identity_domain_option')
          .values({ domain_id: domainId, group_name: group, option_name: option, value: text, sensitive: toBit(secret) })
          .onConflict((conflict) =>
            conflict
              .columns(['domain_id', 'group_name', 'option_name'])
              .doUpdateSet((eb) => ({ value: eb.ref('excluded.value'), sensitive: eb.ref('excluded.sensitive') })),
          )
          .execute()
      }
  }
  return {
    async get(domainId, part) {
      assertKnown(part)
      const config = await shown(store.read, domainId, part)
      if (Object.keys(config).length === 0) throw notThere(domainId, part)
      return config
    },
    put: (domainId, config) =>
      store.write(async (tx) => {
        assertConfig(config)
        const isNew = (await rowsOf(tx, domainId, {})).length === 0
        await tx.deleteFrom('identity_domain_option').where('domain_id', '=', domainId).execute()
        await set(tx, domainId, config)
        await settle(tx, domainId)
        return { config: await shown(tx, domainId, {}), isNew }
      }),
    update: (domainId, config, part) =>
      store.write(async (tx) => {
        assertConfig(config)
        assertKnown(part)
        assertOnly(config, part)
        if (part.group !== undefined && (await rowsOf(tx, domainId, part)).length === 0) throw notThere(domainId, part)
        await set(tx, domainId, config)
        await settle(tx, domainId)
        return shown(tx, domainId, {})
      }),
    remove: (domainId, part) =>
      store.write(async (tx) => {
        assertKnown(part)
        const rows = await rowsOf(tx, domainId, part)
        if (part.group !== undefined && rows.length === 0) throw notThere(domainId, part)
        for (const row of rows)
          await tx
            .deleteFrom('identity_domain_option')
            .where('domain_id', '=', domainId)
            .where('group_name', '=', row.group_name)
            .where('option_name', '=', row.option_name)
            .execute()
        await settle(tx, domainId)
      }),
    defaults({ group, option }) {
      assertKnown({ group, option })
      if (group === undefined) return domainOptions
      if (option === undefined) return { [group]: domainOptions[group]! }
      if (isSensitive(group, option)) throw invalid(`Reading the default for option ${option} in group ${group} is not supported`)
      return { [group]: { [option]: domainOptions[group]![option] } }
    },
  }
}

function notThere(domainId: string, { group, option }: Part): Problem {
  const what =
    group === undefined ? 'any options' : option === undefined ? `group ${group}` : `option ${option} in group ${group}`
  return new Problem('not-found', `Could not find ${what} in domain configuration for domain ${domainId}.`)
}

function assertKnown({ group, option }: Part): void {
  if (group === undefined) return
  if (!isGroup(group)) throw invalid(`Group ${group} is not supported for domain specific configurations`)
  if (option !== undefined && !isOption(group, option))
    throw invalid(`Option ${option} in group ${group} is not supported for domain specific configurations`)
}

function assertConfig(config: DomainConfig): void {
  if (Object.keys(config).length === 0) throw invalid('No options specified')
  for (const [group, options] of Object.entries(config)) {
    if (typeof options !== 'object' || options === null || Array.isArray(options) || Object.keys(options).length === 0)
      throw invalid(`The value of group ${group} specified in the config should be a dictionary of options`)
    for (const option of Object.keys(options)) assertKnown({ group, option })
  }
}

function assertOnly(config: DomainConfig, { group, option }: Part): void {
  if (group === undefined) return
  const groups = Object.keys(config)
  const options = Object.keys(config[group] ?? {})
  const isOnly = groups.length === 1 && groups[0] === group
  if (option === undefined && !isOnly)
    throw invalid(`Trying to update group ${group}, so that, and only that, group must be specified in the config`)
  if (option !== undefined && !(isOnly && options.length === 1 && options[0] === option))
    throw invalid(
      `Trying to update option ${option} in group ${group}, so that, and only that, option must be specified  in the config`,
    )
}
