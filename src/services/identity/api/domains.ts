import { Type } from 'typebox'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import { existing } from '../domain/names.ts'
import { type Projects, projectListing, type TaggedProject } from '../domain/projects.ts'
import { domainView } from './project-view.ts'
import { Immutable, ProjectName, TagList } from './projects.ts'
import * as wire from './wire.ts'

const fields = {
  name: Type.Optional(ProjectName),
  description: Type.Optional(wire.NullableText),
  enabled: Type.Optional(Type.Boolean()),
  tags: Type.Optional(TagList),
  options: Type.Optional(Immutable),
  explicit_domain_id: Type.Optional(Type.String()),
}
const NewDomain = Type.Object({ ...fields, name: ProjectName })
const DomainChange = Type.Object(fields, { minProperties: 1 })

type Found = { domain: TaggedProject | undefined }

export function domainEndpoints(projects: Projects): Endpoint[] {
  const theDomain = {
    async subject({ params }: Pick<Ask, 'params'>): Promise<Found> {
      const found = await projects.find(params['domain_id']!)
      return { domain: found?.isDomain ? found : undefined }
    },
    target: ({ subject: { domain } }: { subject: Found }) => ({ target: domain ? { domain: { id: domain.id } } : {} }),
  }
  const present = ({ subject, params }: { subject: Found; params: Ask['params'] }): TaggedProject =>
    existing(subject.domain, 'domain', params['domain_id']!)
  return [
    endpoint({
      on: 'GET /domains',
      policy: 'identity:list_domains',
      summary: 'List domains',
      target: wire.ownDomain,
      async handle(ask) {
        const { domain_id: _, is_domain: __, ...query } = ask.query
        const own = ask.caller.domainId === undefined ? {} : { ids: [ask.caller.domainId] }
        const found = await projects.list(wire.listAsk(projectListing, query), { isDomain: true, ...own })
        return wire.collection(ask, 'domains', found, domainView(ask))
      },
    }),
    endpoint({
      on: 'POST /domains',
      policy: 'identity:create_domain',
      summary: 'Create a domain',
      status: 201,
      body: wire.one('domain', NewDomain),
      async handle(ask) {
        const { domain } = ask.body
        const id = domain.explicit_domain_id
        if (id !== undefined && !/^[0-9a-f]{32}$/.test(id))
          throw new Problem('invalid', 'Domain ID does not conform to required UUID format.')
        const made = await projects.create({
          id,
          name: domain.name,
          domainId: '',
          parentId: '',
          isDomain: true,
          enabled: domain.enabled ?? true,
          description: domain.description ?? '',
          tags: domain.tags ?? [],
          options: wire.withoutNulls(domain.options ?? {}),
          extra: wire.extraOf(domain, DomainChange),
        })
        return { domain: domainView(ask)(made) }
      },
    }),
    endpoint({
      on: 'GET /domains/{domain_id}',
      policy: 'identity:get_domain',
      summary: 'Show a domain',
      ...theDomain,
      handle: async (ask) => ({ domain: domainView(ask)(present(ask)) }),
    }),
    endpoint({
      on: 'PATCH /domains/{domain_id}',
      policy: 'identity:update_domain',
      summary: 'Change a domain',
      body: wire.one('domain', DomainChange),
      ...theDomain,
      async handle(ask) {
        const { domain } = ask.body
        const old = present(ask)
        wire.assertSameId(domain, old.id)
        const changed = await projects.update(old.id, {
          ...wire.given('name', domain.name),
          ...wire.given('description', domain.description === null ? '' : domain.description),
          ...wire.given('enabled', domain.enabled),
          ...wire.given('tags', domain.tags),
          ...wire.given('options', domain.options),
          extra: wire.extraOf(domain, DomainChange),
        })
        return { domain: domainView(ask)(changed) }
      },
    }),
    endpoint({
      on: 'DELETE /domains/{domain_id}',
      policy: 'identity:delete_domain',
      summary: 'Delete a disabled domain with everything in it',
      ...theDomain,
      handle: async (ask) => projects.remove(present(ask).id),
    }),
  ]
}
