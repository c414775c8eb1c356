import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { type AccessRules, type OwnedRule, ruleListing } from '../domain/access-rules.ts'
import { existing } from '../domain/names.ts'
import { ruleView } from './application-credentials.ts'
import { undelegated } from './delegation.ts'
import * as wire from './wire.ts'

type Found = { rule: OwnedRule | undefined }

/** The requests a user allowed to application credentials; made together with these. */
export function accessRuleEndpoints(rules: AccessRules): Endpoint[] {
  const ownerOf = ({ params }: Pick<Ask, 'params'>) => params['user_id']!
  const idOf = ({ params }: Pick<Ask, 'params'>) => params['access_rule_id']!
  const target = (ask: { params: Ask['params'] }) => ({ target: { user: { id: ownerOf(ask) } } })
  const theRule = {
    subject: async (ask: Pick<Ask, 'params'>): Promise<Found> => {
      const rule = await rules.find(idOf(ask))
      return { rule: rule?.userId === ownerOf(ask) ? rule : undefined }
    },
    target,
  }
  const present = (ask: { subject: Found; params: Ask['params'] }): OwnedRule =>
    existing(ask.subject.rule, 'Access Rule', idOf(ask))
  const shown =
    (ask: Ask) =>
    (rule: OwnedRule): object => ({
      ...ruleView(rule),
      links: { self: wire.linkTo(ask, `users/${rule.userId}/access_rules/${rule.id}`) },
    })
  const list = endpoint({
    on: 'GET /users/{user_id}/access_rules',
    policy: 'identity:list_access_rules',
    summary: 'List the access rules of a user',
    target,
    async handle(ask) {
      const found = await rules.list(ownerOf(ask), wire.listAsk(ruleListing, ask.query))
      return wire.collection(ask, 'access_rules', found, shown(ask))
    },
  })
  const show = endpoint({
    on: 'GET /users/{user_id}/access_rules/{access_rule_id}',
    policy: 'identity:get_access_rule',
    summary: 'Show an access rule',
    ...theRule,
    handle: async (ask) => ({ access_rule: shown(ask as Ask)(present(ask)) }),
  })
  const remove = endpoint({
    on: 'DELETE /users/{user_id}/access_rules/{access_rule_id}',
    policy: 'identity:delete_access_rule',
    summary: 'Delete an access rule that no application credential has',
    ...theRule,
    handle: async (ask) => rules.remove(present(ask).id),
  })
  const action = 'Cannot manage application credentials with a token issued via delegation.'
  return [
    ...undelegated([list, show], action, ['application_credential', 'application_credential_unrestricted']),
    ...undelegated([remove], action, ['application_credential_unrestricted']),
  ]
}
