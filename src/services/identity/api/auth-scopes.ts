import { Problem } from '../../../kit/errors.ts'
import { type Endpoint, endpoint } from '../../../kit/http/endpoint.ts'
import type { Assignments } from '../domain/assignments.ts'
import type { Catalog } from '../domain/catalog.ts'
import { type Projects, projectListing } from '../domain/projects.ts'
import { domainView, projectView } from './project-view.ts'
import { catalogView } from './token-view.ts'
import * as wire from './wire.ts'

type Parts = { catalog: Catalog; projects: Projects; assignments: Assignments }

/** What the caller could get a token for, and what its token shows. */
export const authScopeEndpoints = ({ catalog, projects, assignments }: Parts): Endpoint[] => [
  endpoint({
    on: 'GET /auth/projects',
    policy: 'identity:get_auth_projects',
    summary: 'List the projects the caller can get a token for',
    async handle(ask) {
      const ids = await assignments.projectIdsOf(ask.caller.userId)
      const found = await projects.list(wire.listAsk(projectListing, ask.query), { ids })
      return wire.collection(ask, 'projects', found, projectView(ask))
    },
  }),
  endpoint({
    on: 'GET /auth/domains',
    policy: 'identity:get_auth_domains',
    summary: 'List the domains the caller can get a token for',
    async handle(ask) {
      const ids = await assignments.domainIdsOf(ask.caller.userId)
      const found = await projects.list(wire.listAsk(projectListing, ask.query), { ids, isDomain: true })
      return wire.collection(ask, 'domains', found, domainView(ask))
    },
  }),
  endpoint({
    on: 'GET /auth/system',
    policy: 'identity:get_auth_system',
    summary: 'Whether the caller can get a token for the system',
    async handle(ask) {
      const system = (await assignments.isOnSystem(ask.caller.userId)) ? [{ all: true }] : []
      return { system, links: { self: wire.linkTo(ask, 'auth/system') } }
    },
  }),
  endpoint({
    on: 'GET /auth/catalog',
    policy: 'identity:get_auth_catalog',
    summary: 'Show the catalog of the token',
    async handle(ask) {
      const { userId, projectId } = ask.caller
      if (projectId === undefined) throw new Problem('forbidden', 'You are not authorized to perform the requested action.')
      return {
        catalog: catalogView(await catalog.for({ userId, projectId })),
        links: { self: wire.linkTo(ask, 'auth/catalog') },
      }
    },
  }),
]
