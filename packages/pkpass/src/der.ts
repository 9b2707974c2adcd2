/** Tags of the ASN.1 types that a signature is made of. */
export const derTag = {
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
} as const

/** Encodes one DER value out of the bytes of its content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...content])
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return [0x80 | bytes.length, ...bytes]
}

/** Encodes an object identifier, written with dots. */
export function derOid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return der(derTag.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f))
  return bytes
}

/** The content of a DER SET OF: its elements, sorted by their encodings. */
export function derSetOf(elements: readonly Uint8Array[]): Buffer {
  return Buffer.concat(elements.toSorted(Buffer.compare))
}

/** Encodes a time to the second. */
export function derUtcTime(time: Date): Buffer {
  return der(derTag.utcTime, Buffer.from(utcTimeText(time)))
}

/** The content of a UTCTime, 13 characters; the year must lie between 1950 and 2049, as UTCTime has two digits for it. */
export function utcTimeText(time: Date): string {
  const year = time.getUTCFullYear()
  if (!(year >= 1950 && year < 2050)) throw new RangeError(`UTCTime has no year ${year}`)
  const date = twoDigits(year % 100) + twoDigits(time.getUTCMonth() + 1) + twoDigits(time.getUTCDate())
  const clock = twoDigits(time.getUTCHours()) + twoDigits(time.getUTCMinutes()) + twoDigits(time.getUTCSeconds())
  return `${date}${clock}Z`
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
