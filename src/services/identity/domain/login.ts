/** What somebody says who wants a token, in identity's own words. */
export type ByIdOrName = { id?: string | undefined; name?: string | undefined }
export type ByIdOrNameInDomain = ByIdOrName & { domain?: ByIdOrName | undefined }

/** No scope: the user's default project, or none. */
export type Login = {
  methods: string[]
  password?: { user: ByIdOrNameInDomain; password: string } | undefined
  token?: { id: string } | undefined
  totp?: { user: ByIdOrNameInDomain; passcode: string } | undefined
  applicationCredential?: (ByIdOrName & { user?: ByIdOrNameInDomain | undefined; secret: string }) | undefined
  /** What an earlier login with too few methods got. */
  receipt?: string | undefined
  scope?: LoginScope | undefined
}

export type LoginScope =
  | { project: ByIdOrNameInDomain }
  | { domain: ByIdOrName }
  | { trust: { id: string } }
  | { system: true }
  | { unscoped: true }
