import type { Caller } from '../../kit/policy/caller.ts'

/** What other services may ask of identity. */
export type Identity = {
  /** Who a token stands for, with its roles; undefined when it is not valid (unknown, expired, revoked, its user or project disabled). */
  authenticate(ask: { token: string }): Promise<Caller | undefined>
  project(ask: { id: string }): Promise<{ id: string; name: string; domainId: string; enabled: boolean } | undefined>
  /**
   * Makes what a cloud cannot be used without, and may be repeated at each start: the default domain, roles (admin, manager, member, reader, service), project and
   * user `admin`, the region, and each service with its three endpoints at the addresses given (updated when they moved). The password is set only when the user is new.
   */
  bootstrap(ask: {
    adminPassword: string
    region: string
    services: { type: string; name: string; url: string }[]
  }): Promise<{ adminUserId: string; adminProjectId: string }>
  /** Where a service is reached, as the catalog of this user and project says; undefined: not there. Letters of the region may be large or small. */
  endpoint(ask: {
    type: string
    region: string
    /** public, internal or admin. */
    face: string
    userId: string
    projectId: string | undefined
  }): Promise<string | undefined>
  /** The unified limits in force for a project: its own, else those registered for the service. By name of the resource; -1: any amount. */
  limits(ask: { serviceType: string; projectId: string }): Promise<Record<string, number>>
  /**
   * New keys of tokens and of sealed secrets. Nobody is logged out, however often it is called: keys go when nothing they signed can be alive.
   */
  rotateKeys(ask: Record<string, never>): Promise<void>
}
