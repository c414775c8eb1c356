import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A way to tell the other host that the guest has left. */
export type Word = {
  /** Until this has ended well, the other host may not know. */
  say(): Promise<void>
  close(): void
}

/** Under which QEMU looks for a key, unless told otherwise. */
export const keyName = 'qemu'
/** Of the export, and of the file behind it. */
export const wordBytes = 512

/** For the greeting, each answer, and the key. */
const patienceMs = 5000

/** Numbers of the NBD protocol (doc/proto.md of nbd): the handshake with options, then the transmission. */
const greetingMagic = Buffer.from('NBDMAGICIHAVEOPT')
const optionReplyMagic = 0x0003e889045565a9n
const requestMagic = 0x25609513
const replyMagic = 0x67446698
const clientFlags = 3
const option = { startTls: 5, go: 7 }
const optionReply = { ack: 1, info: 3 }
const command = { write: 1 }
/** The answer comes only once it is on disk. */
const forceUnitAccess = 1

/**
 * A connection to the export `word` of the other host, past its key. Opened before QEMU goes there, it tells whether that host answers and
 * knows the key: QEMU would find out too, and its guest would stand still meanwhile. Throws when not.
 */
export async function openWord(host: string, port: number, key: string): Promise<Word> {
  const plain = connect({ host, port })
  plain.setTimeout(patienceMs, () => plain.destroy(new Error('no answer in time')))
  try {
    const [secure, reader] = await negotiate(plain, key)
    plain.setTimeout(0)
    return wordOver(secure, reader)
  } catch (error) {
    plain.destroy()
    throw error
  }
}

async function negotiate(plain: Socket, key: string): Promise<[Socket, Reader]> {
  const open = openReader(plain)
  const greeting = await open.read(18)
  if (!greeting.subarray(0, 16).equals(greetingMagic)) throw new Error('no disk is given there')
  plain.write(numbers([clientFlags, 4]))
  plain.write(optionRequest(option.startTls))
  if ((await readOptionReply(open)) !== optionReply.ack) throw new Error('the channel is not protected')
  open.release()
  const secure = connectTls({
    socket: plain,
    // Diffie-Hellman besides, so that who learns the key later reads nothing.
    ciphers: 'ECDHE-PSK-AES256-CBC-SHA384:DHE-PSK-AES256-GCM-SHA384:ECDHE-PSK-CHACHA20-POLY1305',
    maxVersion: 'TLSv1.2',
    pskCallback: () => ({ identity: keyName, psk: Buffer.from(key, 'hex') }),
    // Who knows the key is who it is.
    checkServerIdentity: () => undefined,
  })
  await once(secure, 'secureConnect')
  const reader = openReader(secure)
  secure.write(optionRequest(option.go, goData('word')))
  for (;;) {
    const kind = await readOptionReply(reader)
    if (kind === optionReply.ack) return [secure, reader]
    if (kind !== optionReply.info) throw new Error('there is no such export')
  }
}

function wordOver(secure: Socket, { read }: Reader): Word {
  return {
    async say() {
      secure.setTimeout(patienceMs, () => secure.destroy(new Error('no answer in time')))
      const data = Buffer.alloc(wordBytes)
      data[0] = 1
      secure.write(
        Buffer.concat([
          numbers([requestMagic, 4], [forceUnitAccess, 2], [command.write, 2], [1, 8], [0, 8], [wordBytes, 4]),
          data,
        ]),
      )
      const reply = await read(16)
      if (reply.readUInt32BE(0) !== replyMagic || reply.readUInt32BE(4) !== 0) throw new Error('the word was not taken')
    },
    close: () => void secure.destroy(),
  }
}

type Reader = {
  /** So many bytes. Throws when the connection ends before. One asks at a time. */
  read(bytes: number): Promise<Buffer>
  /** Leaves the connection to somebody else. */
  release(): void
}

function openReader(socket: Socket): Reader {
  let held: Buffer = Buffer.alloc(0)
  let ended: Error | undefined
  let wake = () => {}
  const take = (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    wake()
  }
  const end = (error?: Error) => {
    ended ??= error ?? new Error('the connection ended')
    wake()
  }
  const close = () => end()
  socket.on('data', take).on('error', end).on('close', close)
  return {
    async read(bytes) {
      while (held.length < bytes) {
        if (ended) throw ended
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const wanted = held.subarray(0, bytes)
      held = held.subarray(bytes)
      return wanted
    },
    release: () => void socket.off('data', take).off('close', close),
  }
}

/** Big-endian, each in so many bytes. */
function numbers(...fields: [value: number, bytes: 2 | 4 | 8][]): Buffer {
  return Buffer.concat(
    fields.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes)
      field.writeUIntBE(value, Math.max(0, bytes - 6), Math.min(bytes, 6))
      return field
    }),
  )
}

const optionRequest = (kind: number, data = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.from('IHAVEOPT'), numbers([kind, 4], [data.length, 4]), data])

/** The export's name, and no questions. */
const goData = (name: string) => Buffer.concat([numbers([name.length, 4]), Buffer.from(name), numbers([0, 2])])

async function readOptionReply({ read }: Reader): Promise<number> {
  const head = await read(20)
  if (head.readBigUInt64BE(0) !== optionReplyMagic) throw new Error('no answer of this protocol')
  const length = head.readUInt32BE(16)
  if (length > 65_536) throw new Error('an answer without end')
  if (length > 0) await read(length)
  return head.readUInt32BE(12)
}
