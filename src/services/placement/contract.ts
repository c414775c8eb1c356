export type Inventory = {
  total: number
  reserved: number
  allocationRatio: number
  minUnit: number
  maxUnit: number
  stepSize: number
}

export type Candidate = { provider: string; name: string; free: Record<string, number>; traits: string[] }

/** What other services may ask of placement. Every call may be repeated with the same result. Resource classes: VCPU, MEMORY_MB, DISK_GB. */
export type Placement = {
  /** Makes or updates a provider with exactly these inventories and traits. Its generation grows only when something changed. */
  ensureProvider(ask: { id: string; name: string; inventories: Record<string, Inventory>; traits: string[] }): Promise<void>
  /** Removes it with its inventories. Throws conflict while something is allocated on it. */
  removeProvider(ask: { id: string }): Promise<void>
  /** Providers with room for it, and for every other one the reason why not. */
  candidates(ask: {
    resources: Record<string, number>
    requiredTraits: string[]
    forbiddenTraits: string[]
  }): Promise<{ fitting: Candidate[]; refused: { provider: string; name: string; reason: string }[] }>
  /**
   * Takes the resources for the consumer on that provider. True: it holds exactly these now (also when it did before). False: no room any more. What the consumer
   * held elsewhere is given back.
   */
  claim(ask: {
    consumer: string
    provider: string
    resources: Record<string, number>
    projectId: string
    userId: string
  }): Promise<boolean>
  release(ask: { consumer: string }): Promise<void>
  /**
   * For one that goes from a provider to another: what the consumer holds is held by `aside` from now on, and the consumer takes these
   * resources instead; all in one transaction. When `aside` holds something already, that stays as it is. True and false as with `claim`.
   */
  claimAside(ask: {
    consumer: string
    aside: string
    provider: string
    resources: Record<string, number>
    projectId: string
    userId: string
  }): Promise<boolean>
  /** It did not go: the consumer holds what `aside` holds, in place of what it has. Nothing happens when `aside` holds nothing. */
  takeBack(ask: { consumer: string; aside: string; projectId: string; userId: string }): Promise<void>
  allocationsOf(ask: { consumer: string }): Promise<{ provider: string; resources: Record<string, number> }[]>
  /** Inventory and use of each provider. */
  usages(): Promise<{ provider: string; name: string; inventories: Record<string, Inventory>; used: Record<string, number> }[]>
}
