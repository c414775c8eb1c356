import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { defaultDomainId } from '../domain/bootstrap.ts'
import type { DomainConfig, DomainConfigs, Part } from '../domain/domain-config.ts'
import { existing } from '../domain/names.ts'
import type { PasswordRules } from '../domain/password-rules.ts'
import type { Projects } from '../domain/projects.ts'
import * as wire from './wire.ts'

const Config = wire.one('config', Type.Record(Type.String(), Type.Unknown()))

type Parts = { configs: DomainConfigs; projects: Projects; rules: PasswordRules }

const partOf = ({ params }: Pick<Ask, 'params'>): Part => ({ group: params['group'], option: params['option'] })

/** One option is shown, and said, without the group it is in. */
const shownAs = (config: DomainConfig, { group, option }: Part): object => (option === undefined ? config : config[group!]!)
const readAs = (config: object, { group, option }: Part): DomainConfig =>
  (option === undefined ? config : { [group!]: config }) as DomainConfig

const levels = ['', '/{group}', '/{group}/{option}']

export function domainConfigEndpoints({ configs, projects, rules }: Parts): Endpoint[] {
  const domainOf = async ({ params }: Pick<Ask, 'params'>): Promise<string> => {
    const id = params['domain_id']!
    const found = await projects.find(id)
    return existing(found?.isDomain ? found : undefined, 'domain', id).id
  }
  return [
    ...complianceEndpoints(rules),
    ...levels.map((level) =>
      endpoint({
        on: `GET /domains/config${level}/default`,
        policy: 'identity:get_domain_config_default',
        summary: 'Show what holds for domains that set nothing',
        handle: async (ask) => ({ config: shownAs(configs.defaults(partOf(ask)), partOf(ask)) }),
      }),
    ),
    endpoint({
      on: 'PUT /domains/{domain_id}/config',
      policy: 'identity:create_domain_config',
      summary: 'Set the options of a domain, in place of those it had',
      body: Config,
      async handle(ask) {
        const { config, isNew } = await configs.put(await domainOf(ask), ask.body.config as DomainConfig)
        return reply({ status: isNew ? 201 : 200, body: { config } })
      },
    }),
    ...levels.flatMap((level) => [
      endpoint({
        on: `GET /domains/{domain_id}/config${level}`,
        policy: 'identity:get_domain_config',
        summary: 'Show options of a domain, without what is sensitive',
        handle: async (ask) => ({ config: shownAs(await configs.get(await domainOf(ask), partOf(ask)), partOf(ask)) }),
      }),
      endpoint({
        on: `PATCH /domains/{domain_id}/config${level}`,
        policy: 'identity:update_domain_config',
        summary: 'Change options of a domain',
        body: Config,
        async handle(ask) {
          const config = readAs(ask.body.config, partOf(ask))
          return { config: await configs.update(await domainOf(ask), config, partOf(ask)) }
        },
      }),
      endpoint({
        on: `DELETE /domains/{domain_id}/config${level}`,
        policy: 'identity:delete_domain_config',
        summary: 'Take options off a domain',
        handle: async (ask) => configs.remove(await domainOf(ask), partOf(ask)),
      }),
    ]),
  ]
}

/** Anybody may know what a good password is; nothing else of the rules. */
function complianceEndpoints(rules: PasswordRules): Endpoint[] {
  const readable: Record<string, string | null> = {
    password_regex: rules.passwordRegex ?? null,
    password_regex_description: rules.passwordRegexDescription ?? null,
  }
  const assertDefault = ({ params }: Pick<Ask, 'params'>) => {
    if (params['domain_id'] !== defaultDomainId)
      throw new Problem(
        'forbidden',
        'Invalid domain specific configuration: Reading security compliance information for any domain other than the default domain is not allowed or supported..',
      )
  }
  return [
    endpoint({
      on: 'GET /domains/{domain_id}/config/security_compliance',
      policy: 'identity:get_security_compliance_domain_config',
      summary: 'Show what a good password is',
      async handle(ask) {
        assertDefault(ask)
        return { config: { security_compliance: readable } }
      },
    }),
    endpoint({
      on: 'GET /domains/{domain_id}/config/security_compliance/{option}',
      policy: 'identity:get_security_compliance_domain_config',
      summary: 'Show one rule of what a good password is',
      async handle(ask) {
        assertDefault(ask)
        const option = ask.params['option']!
        if (!Object.hasOwn(readable, option))
          throw new Problem(
            'forbidden',
            'Invalid domain specific configuration: Reading security compliance values other than password_regex and password_regex_description is not allowed..',
          )
        return { config: { [option]: readable[option] } }
      },
    }),
  ]
}
