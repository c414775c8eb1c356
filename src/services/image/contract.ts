export type Image = {
  id: string
  name: string | undefined
  status: string
  visibility: 'public' | 'community' | 'shared' | 'private'
  ownerId: string
  diskFormat: string | undefined
  containerFormat: string | undefined
  sizeBytes: number | undefined
  virtualSizeBytes: number | undefined
  /** Hex digest of the bytes; undefined before there are any. */
  sha512: string | undefined
  minDiskGb: number
  minRamMb: number
  properties: Record<string, string>
  createdAt: number
  updatedAt: number
}

/** What other services may ask of images. */
export type Images = {
  /** Whatever its status, seen by nobody in particular: for what is already running from it. */
  show(ask: { id: string }): Promise<Image | undefined>
  /** For operators: what was deleted and is kept for a while (pending_delete) is there again. Throws not-found, conflict. */
  restore(ask: { id: string }): Promise<void>
  /** Undefined when this caller may not see it. */
  visibleTo(ask: { id: string; projectId: string | undefined; isAdmin: boolean }): Promise<Image | undefined>
}
