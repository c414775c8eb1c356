/** The few kinds of MessagePack (msgpack.org specification) that tokens are made of. */
export type Packed = number | string | boolean | Buffer | Packed[]

export const pack = (value: Packed): Buffer => {
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2)
  if (typeof value === 'number') return packNumber(value)
  if (typeof value === 'string') return sized([0xd9, 0xda], Buffer.from(value))
  if (Buffer.isBuffer(value)) return sized([0xc4, 0xc5], value)
  if (value.length > 15) throw new Error('a list is too long to pack')
  return Buffer.concat([Buffer.of(0x90 + value.length), ...value.map(pack)])
}

function packNumber(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`a number that cannot be packed: ${value}`)
  if (value < 128) return Buffer.of(value)
  const bytes = Buffer.alloc(9)
  bytes[0] = 0xcf
  bytes.writeBigUInt64BE(BigInt(value), 1)
  return bytes
}

function sized([short, long]: [number, number], bytes: Buffer): Buffer {
  if (bytes.length < 256) return Buffer.concat([Buffer.of(short, bytes.length), bytes])
  if (bytes.length > 65_535) throw new Error('a text is too long to pack')
  return Buffer.concat([Buffer.of(long, bytes.length >> 8, bytes.length & 255), bytes])
}

/** What `pack` made; throws when it is anything else, or when something follows. */
export function unpack(bytes: Buffer): Packed {
  const { value, end } = unpackAt(bytes, 0)
  if (end !== bytes.length) throw new Error('something follows the packed value')
  return value
}

function unpackAt(bytes: Buffer, at: number): { value: Packed; end: number } {
  const kind = bytes.readUInt8(at)
  if (kind < 0x80) return { value: kind, end: at + 1 }
  if (kind >= 0x90 && kind <= 0x9f) return unpackList(bytes, at + 1, kind - 0x90)
  if (kind === 0xc2 || kind === 0xc3) return { value: kind === 0xc3, end: at + 1 }
  if (kind === 0xcf) return { value: Number(bytes.readBigUInt64BE(at + 1)), end: at + 9 }
  const wide = kind === 0xda || kind === 0xc5
  const text = kind === 0xd9 || kind === 0xda
  if (!wide && !text && kind !== 0xc4) throw new Error(`an unknown kind of packed value: ${kind}`)
  const start = at + (wide ? 3 : 2)
  const end = start + (wide ? bytes.readUInt16BE(at + 1) : bytes.readUInt8(at + 1))
  if (end > bytes.length) throw new Error('a packed value ends too early')
  const part = bytes.subarray(start, end)
  return { value: text ? part.toString('utf8') : Buffer.from(part), end }
}

function unpackList(bytes: Buffer, start: number, length: number): { value: Packed[]; end: number } {
  const items: Packed[] = []
  let at = start
  for (let i = 0; i < length; i++) {
    const { value, end } = unpackAt(bytes, at)
    items.push(value)
    at = end
  }
  return { value: items, end: at }
}
