import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { assertNoTransaction } from '../context.ts'
import { Problem } from '../errors.ts'
import { openAddresses } from './addresses.ts'

export type FetchSettings = {
  /** Addresses and networks (`10.1.0.0/16`) that may be reached though they are not public. Default: none. */
  allowedNetworks?: readonly string[]
  /** Names that are refused, whatever they stand for. */
  refusedHosts?: readonly string[]
  /** Ports that may be reached. Default: 80 and 443, as Glance has it. */
  allowedPorts?: readonly number[] | 'any'
  /** Default 5. */
  maxRedirects?: number
  /** From connecting to the headers, and between any two pieces of the body. Default 30,000. */
  quietMs?: number
  /** The whole. Default an hour. */
  timeoutMs?: number
  /** Name to addresses. Default: the system's resolver. */
  resolve?: (host: string) => Promise<string[]>
}

export type Fetched = { sizeBytes: number | undefined; bytes: AsyncIterable<Uint8Array> }

export type Fetch = {
  /** Throws invalid for an address that `open` would refuse without asking the network. */
  check(url: string): void
  /**
   * GETs what a user named. Throws invalid for what must not be reached (its `code` is `refused-url`) and for answers other than 200, unavailable when
   * the host does not answer. `headers` go to the address itself, never to where it leads. The bytes end with an error beyond `maxBytes`, on silence, and after the time for the whole.
   */
  open(url: string, options: { maxBytes: number; headers?: Record<string, string> }): Promise<Fetched>
}

const refused = (url: string, why: string, cause?: unknown) =>
  new Problem('invalid', `The address ${url} is not allowed: ${why}.`, { code: 'refused-url', cause })

const ofSystem = async (host: string) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

/**
 * The only door to addresses that users give: http and https, no special networks unless allowed, the checked address is the one connected to,
 * every redirect is checked as if it were the first, nothing of ours (no cookie, no header, no password) goes out.
 */
export function openFetch(settings: FetchSettings = {}): Fetch {
  const { resolve = ofSystem, allowedPorts = [80, 443], maxRedirects = 5, quietMs = 30_000, timeoutMs = 3_600_000 } = settings
  const isOpen = openAddresses(settings.allowedNetworks)
  const refusedHosts = new Set(settings.refusedHosts?.map((host) => host.toLowerCase()))

  /** URL's parser writes every spelling of an IPv4 address (octal, decimal, short) the usual way. */
  const checked = (text: string): URL => {
    const url = URL.parse(text)
    if (!url) throw refused(text, 'it is no URL')
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(text, 'only http and https are')
    if (url.username !== '' || url.password !== '') throw refused(url.origin, 'it holds a name or a password')
    const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443))
    if (allowedPorts !== 'any' && !allowedPorts.includes(port)) throw refused(text, 'of its port')
    const host = hostOf(url)
    if (host === '' || refusedHosts.has(host.replace(/\.$/, '').toLowerCase())) throw refused(text, 'of its host')
    if (isIP(host) !== 0 && !isOpen(host)) throw refused(text, 'of its host')
    return url
  }

  /** One bad address among several refuses them all: which one is used must not be the name server's choice. */
  const addressOf = async (url: URL): Promise<string> => {
    const host = hostOf(url)
    if (isIP(host) !== 0) return host
    const found = await resolve(host).catch((cause) => {
      throw new Problem('unavailable', `The host ${host} could not be found.`, { cause })
    })
    if (found.length === 0 || !found.every(isOpen)) throw refused(url.href, 'of its host')
    return found[0]!
  }

  const follow = async (start: string, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> => {
    let url = checked(start)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const answer = await get(url, await addressOf(url), { headers: hop === 0 ? headers : {}, timeout: quietMs, signal })
      const location = answer.headers.location
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return answer
      answer.destroy()
      const next = checked(URL.parse(location, url.href)?.href ?? location)
      if (url.protocol === 'https:' && next.protocol === 'http:') throw refused(next.href, 'https leads to http')
      url = next
    }
    throw new Problem('invalid', `The address ${start} redirects more than ${maxRedirects} times.`)
  }

  return {
    check: (url) => void checked(url),
    async open(url, { maxBytes, headers = {} }) {
      assertNoTransaction(`a request to ${url}`)
      const signal = AbortSignal.timeout(timeoutMs)
      const answer = await follow(url, headers, signal)
      const fail = (problem: Problem) => {
        answer.destroy()
        throw problem
      }
      if (answer.statusCode !== 200) fail(new Problem('invalid', `The address ${url} answered ${answer.statusCode}.`))
      const length = answer.headers['content-length']
      const sizeBytes = length === undefined ? undefined : Number(length)
      if (sizeBytes !== undefined && sizeBytes > maxBytes) fail(tooLarge(maxBytes))
      return { sizeBytes, bytes: limited(answer, maxBytes) }
    },
  }
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')

const tooLarge = (maxBytes: number) => new Problem('too-large', `There are more than ${maxBytes} bytes.`)

/** Connects to the address that was checked, whatever the name stands for meanwhile. */
function get(
  url: URL,
  address: string,
  options: { headers: Record<string, string>; timeout: number; signal: AbortSignal },
): Promise<IncomingMessage> {
  const pinned: LookupFunction = (_, options, done) => {
    const family = isIP(address)
    if (options.all) (done as (error: null, found: object[]) => void)(null, [{ address, family }])
    else done(null, address, family)
  }
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const asking = request(url, { ...options, agent: false, lookup: pinned, maxHeaderSize: 16_384 })
    asking.on('response', resolve)
    asking.on('timeout', () => asking.destroy(new Error('it said nothing for too long')))
    asking.on('error', (cause) => reject(new Problem('unavailable', `The host of ${url.origin} did not answer.`, { cause })))
    asking.end()
  })
}

async function* limited(answer: IncomingMessage, maxBytes: number): AsyncIterable<Uint8Array> {
  let size = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('unavailable', 'The answer broke off.', { cause })
  } finally {
    answer.destroy()
  }
}
