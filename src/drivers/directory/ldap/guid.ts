/** Active Directory keeps these 16 bytes with the first three groups turned round (MS-DTYP, 2.3.4). */
const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

export const isGuidAttribute = (attribute: string): boolean => attribute.toLowerCase() === 'objectguid'

export function toGuid(bytes: Buffer): string {
  const hex = order.map((at) => bytes[at]!.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Undefined for every other attribute, and for what is none. */
export function fromGuid(attribute: string, text: string): Buffer | undefined {
  if (!isGuidAttribute(attribute) || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex')
  return Buffer.from(order.map((at) => bytes[at]!))
}
