import { lookup } from 'node:dns'
import { readdir, readFile } from 'node:fs/promises'
import { isIP, type LookupFunction, connect as plainConnect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import type { DirectoryConnection, DirectoryServer } from '../driver.ts'
import { mayBeDirectory } from './servers.ts'

/** The one connection to a server: the way the library gets at a socket. */
export type Wire = {
  connect(): Socket
  /** What TLS over this connection is to check. */
  tls: ConnectionOptions
  /** The library's way to TLS, straight away or over the connection that is there. */
  secure(options: ConnectionOptions): Socket
  /** Ends it now. */
  cut(): void
}

export function openWire(server: DirectoryServer, tls: ConnectionOptions, maxBytes: number): Wire {
  const { host, port } = server
  let socket: Socket | undefined
  let early: Buffer[] | undefined
  const watched = (made: Socket): Socket => {
    let left = maxBytes
    made.on('data', (chunk: Buffer) => {
      early?.push(chunk)
      left -= chunk.length
      if (left < 0) made.destroy(new Error('the answer is too long'))
    })
    socket ??= made
    return made
  }
  const address = { host, port, lookup: guarded }
  assertAddress(host)
  return {
    connect() {
      if (server.tls === 'starttls') early = []
      return watched(plainConnect(address))
    },
    tls,
    secure(options) {
      if (server.tls === 'ldaps') return watched(tlsConnect({ ...address, ...tls }))
      // What came beside the answer was not protected, and must not pass for something that is.
      if (!isOneMessage(Buffer.concat(early ?? []))) throw new Error('the server said more than it may before TLS')
      early = undefined
      return tlsConnect({ ...options, ...tls })
    },
    cut: () => socket?.destroy(new Error('the directory took too long')),
  }
}

function assertAddress(address: string): void {
  if (isIP(address) !== 0 && !mayBeDirectory(address)) throw new Error(`${address} is no address of a directory`)
}

/** The system's resolver, but for addresses that no directory has. */
const guarded: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = (found ?? []).filter(({ address }) => mayBeDirectory(address))
    const [first] = addresses
    if (error || !first) return callback(error ?? new Error(`${hostname} is no name of a directory`), '', 0)
    return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
  })

/** Exactly one message of LDAP: a sequence in BER whose length says that nothing follows. */
export function isOneMessage(bytes: Buffer): boolean {
  const [tag, length] = bytes
  if (tag !== 0x30 || length === undefined) return false
  if (length < 0x80) return bytes.length === 2 + length
  const count = length & 0x7f
  return count > 0 && count <= 4 && bytes.length >= 2 + count && bytes.length === 2 + count + bytes.readUIntBE(2, count)
}

/** Throws when there is no certificate where one should be. Without a file or folder: whom the system trusts. */
export async function tlsOptions(server: DirectoryServer, connection: DirectoryConnection): Promise<ConnectionOptions> {
  const { caFile, caFolder, verify } = connection
  const inFolder = caFolder ? (await readdir(caFolder)).map((name) => join(caFolder, name)) : []
  const texts = await Promise.all([
    ...(caFile ? [readFile(caFile, 'utf8')] : []),
    // Other things may lie there too.
    ...inFolder.map((file) => readFile(file, 'utf8').catch(() => '')),
  ])
  const ca = texts.filter((text) => text.includes('-----BEGIN CERTIFICATE-----'))
  if ((caFile || caFolder) && ca.length === 0) throw new Error('no certificate where tls_cacertfile and tls_cacertdir point')
  const { host } = server
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: verify,
    ...(ca.length > 0 && { ca }),
    minVersion: 'TLSv1.2',
  }
}
