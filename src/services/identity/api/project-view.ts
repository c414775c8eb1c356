import type { Ask } from '../../../kit/http/endpoint.ts'
import type { TaggedProject } from '../domain/projects.ts'
import * as wire from './wire.ts'

export const projectView =
  (ask: Pick<Ask, 'origin'>) =>
  (project: TaggedProject): object => ({
    ...project.extra,
    id: project.id,
    name: project.name,
    domain_id: project.domainId || null,
    description: project.description,
    enabled: project.enabled,
    parent_id: project.parentId || null,
    is_domain: project.isDomain,
    tags: project.tags,
    options: project.options,
    links: { self: wire.linkTo(ask, `projects/${project.id}`) },
  })

/** The same thing as the domain it is. */
export const domainView =
  (ask: Pick<Ask, 'origin'>) =>
  (domain: TaggedProject): object => ({
    ...domain.extra,
    id: domain.id,
    name: domain.name,
    description: domain.description,
    enabled: domain.enabled,
    tags: domain.tags,
    options: domain.options,
    links: { self: wire.linkTo(ask, `domains/${domain.id}`) },
  })
