import { Problem } from '../../../kit/errors.ts'
import type { Fetch, Fetched } from '../../../kit/fetch/fetch.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import type { Identity } from '../../identity/contract.ts'
import type { Remote, RemoteFacts } from './task.ts'

/** Beginnings of the names of custom properties that come along (Glance's glance_download_properties). */
const taken = ['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type']
const mostDocumentBytes = 1 << 20

type Deps = {
  identity: Pick<Identity, 'endpoint'>
  /** The catalog says where regions are, never a user: private addresses are usual. */
  fetch: Fetch
  /** Throws forbidden when the caller may not set these properties. */
  allow(caller: Caller, before: Record<string, string>, after: Record<string, string>): void
}

export type OtherRegions = ReturnType<typeof openOtherRegions>

/** Images of other regions, read as the user who imports them: with the user's own token, which is good there because the regions share their users. */
export function openOtherRegions({ identity, fetch, allow }: Deps) {
  const get = async ({ region, face, imageId, caller, token }: Remote, below: string, maxBytes: number): Promise<Fetched> => {
    const { userId, projectId } = caller
    const url = await identity.endpoint({ type: 'image', region, face, userId, projectId })
    if (url === undefined) throw new Problem('invalid', `There is no image service with interface ${face} in region ${region}.`)
    const headers = { 'x-auth-token': token ?? '' }
    return fetch.open(`${url.replace(/\/$/, '')}/v2/images/${imageId}${below}`, { maxBytes, headers })
  }
  return {
    /** What the image there is. Throws invalid when it is not to be had, forbidden when its properties may not be set here. */
    async show(remote: Remote, properties: Record<string, string>): Promise<RemoteFacts> {
      const facts = factsOf(await document((await get(remote, '', mostDocumentBytes)).bytes))
      allow(remote.caller, properties, { ...properties, ...facts.properties })
      return facts
    },
    bytes: (remote: Remote, { sizeBytes }: RemoteFacts) => get(remote, '/file', sizeBytes),
  }
}

async function document(bytes: AsyncIterable<Uint8Array>): Promise<Record<string, unknown>> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  try {
    const found: unknown = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof found === 'object' && found !== null) return found as Record<string, unknown>
  } catch {}
  throw new Problem('invalid', 'What the other region answered is no image.')
}

function factsOf(image: Record<string, unknown>): RemoteFacts {
  const { status, size, disk_format: diskFormat, container_format: containerFormat } = image
  if (status !== 'active') throw new Problem('invalid', 'The image of the other region is not active.')
  if (!Number.isSafeInteger(size) || typeof diskFormat !== 'string' || typeof containerFormat !== 'string')
    throw new Problem('invalid', 'The image of the other region has no size or no format.')
  return { sizeBytes: size as number, diskFormat, containerFormat, properties: comingAlong(image) }
}

const comingAlong = (image: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(image).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && entry[0].length <= 255 && taken.some((prefix) => entry[0].startsWith(prefix)),
    ),
  )
