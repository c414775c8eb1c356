import type { Blobs } from '../../../drivers/blobs/driver.ts'
import { Problem } from '../../../kit/errors.ts'
import type { StoredImage } from '../domain/image.ts'
import type { Import } from '../domain/imports.ts'
import type { Signatures } from '../domain/signature.ts'
import type { Stores } from '../domain/stores.ts'
import type { Prepared } from '../domain/task.ts'
import { declaredOf } from '../domain/upload.ts'
import { type Declared, headBytes, judge, openInspector, tailBytes } from '../inspect/inspect.ts'
import type { Convert } from './convert.ts'

type Staged = NonNullable<Import['staged']>

export type PrepareDeps = {
  stores: Stores
  signatures: Signatures
  maxBytes: number
  conversion: { to: string; convert: Convert } | undefined
}

/** Judges staged bytes as an upload's are judged, verifies their signature and sum, and converts them where that is set. Throws invalid. */
export const openPrepare =
  ({ stores, signatures, maxBytes, conversion }: PrepareDeps) =>
  async (image: StoredImage, staged: Staged, { id, plan }: Import['task']): Promise<Prepared> => {
    const { blobs } = stores.usual
    const declared = declaredOf(image)
    const { virtualSizeBytes } =
      declared.container === 'ova' ? await judgeWhole(blobs, staged, declared) : judge(declared, await edgesOf(blobs, staged))
    if (plan.sha512 !== undefined && plan.sha512 !== staged.sha512)
      throw new Problem('invalid', 'The bytes do not have the hash that was given.')
    const signature = await signatures(image.properties)
    if (signature) {
      for await (const chunk of await blobs.read(staged.blob_id)) signature.feed(chunk)
      signature.verify()
    }
    const ready = {
      blobId: staged.blob_id,
      store: stores.usual.id,
      sizeBytes: staged.size_bytes,
      virtualSizeBytes,
      md5: staged.md5,
      sha512: staged.sha512,
    }
    if (!conversion || !convertible(declared, conversion.to, virtualSizeBytes)) return ready
    // The task's own name: a second attempt replaces what a killed one left.
    const written = await conversion.convert({
      blobs,
      from: staged.blob_id,
      into: id,
      format: declared.disk,
      virtualSizeBytes: virtualSizeBytes!,
      maxBytes,
    })
    return { ...ready, ...written, blobId: id, diskFormat: conversion.to, source: staged.blob_id }
  }

const convertible = ({ disk, container }: { disk: string; container: string }, to: string, virtual: number | undefined) =>
  container === 'bare' && disk !== to && virtual !== undefined && ['raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx'].includes(disk)

/** An archive shows what is in it only on the way. */
async function judgeWhole(blobs: Blobs, { blob_id }: Staged, declared: Declared) {
  const inspector = openInspector()
  for await (const chunk of await blobs.read(blob_id)) inspector.feed(chunk)
  return inspector.judge(declared)
}

async function edgesOf(blobs: Blobs, { blob_id, size_bytes }: Staged) {
  const part = async (start: number, end: number) => {
    if (end < start) return Buffer.alloc(0)
    const chunks: Uint8Array[] = []
    for await (const chunk of await blobs.read(blob_id, { start, end })) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  return {
    head: await part(0, Math.min(headBytes, size_bytes) - 1),
    tail: await part(Math.max(0, size_bytes - tailBytes), size_bytes - 1),
    sizeBytes: size_bytes,
  }
}
