export type BlobWritten = { sizeBytes: number; md5: string; sha512: string }

/** Bytes by id, on whatever keeps them. Ids are uuids; a blob is whole or not there. */
export type Blobs = {
  /**
   * Takes a stream to its end, in constant memory, and then makes it visible at once under this id (replacing what was there).
   * When the stream breaks or the disk is full nothing stays; throws too-large beyond `maxBytes`, unavailable when there is no room.
   */
  write(
    id: string,
    bytes: AsyncIterable<Uint8Array>,
    options: { maxBytes: number; check?: (chunk: Uint8Array) => void },
  ): Promise<BlobWritten>
  /**
   * From byte `start` up to and including `end`. `isPassing`: the reader passes each chunk on, and it is gone from his hands before he asks for the
   * next but one; then the same memory may come again. Throws not-found.
   */
  read(id: string, range?: { start: number; end: number }, isPassing?: boolean): Promise<AsyncIterable<Uint8Array>>
  size(id: string): Promise<number | undefined>
  /** Also when it is not there. What a killed writer left half-written under this id goes too, so nobody may be writing it. */
  remove(id: string): Promise<void>
  /** Ids of whole blobs. */
  list(): Promise<string[]>
}
