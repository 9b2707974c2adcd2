/** One element of a DER structure: a view into the bytes it was read from. */
export interface DerNode {
  /** Identifier byte (class, constructed bit and number below 31). */
  readonly tag: number
  /** Content bytes. */
  readonly content: Buffer
  /** The whole element, header included. */
  readonly raw: Buffer
}

/** Thrown for bytes that are not DER. */
export class DerError extends Error {
  override name = 'DerError'
}

/** Identifier bytes that certificates and CMS use. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Deepest length field that is read: four bytes hold any size that fits in memory. */
const LENGTH_BYTES_MAX = 4

function readLength(bytes: Buffer, offset: number): { length: number; next: number } {
  const first = bytes[offset]
  if (first === undefined) throw new DerError('truncated length')
  if (first < 0x80) return { length: first, next: offset + 1 }
  const count = first & 0x7f
  if (count === 0) throw new DerError('indefinite length is BER, not DER')
  if (count > LENGTH_BYTES_MAX || offset + 1 + count > bytes.length) throw new DerError('bad length')
  const length = bytes.readUIntBE(offset + 1, count)
  if (length < 0x80 || bytes[offset + 1] === 0) throw new DerError('length is not minimal')
  return { length, next: offset + 1 + count }
}

/** Reads the element at `offset`. Throws DerError. */
export function readDer(bytes: Buffer, offset = 0): DerNode {
  const tag = bytes[offset]
  if (tag === undefined) throw new DerError('truncated element')
  if ((tag & 0x1f) === 0x1f) throw new DerError('long tags are not used here')
  const { length, next } = readLength(bytes, offset + 1)
  if (next + length > bytes.length) throw new DerError('element is longer than its container')
  return { tag, content: bytes.subarray(next, next + length), raw: bytes.subarray(offset, next + length) }
}

/** Reads exactly one element that fills `bytes`. Throws DerError. */
export function readWholeDer(bytes: Buffer): DerNode {
  const node = readDer(bytes)
  if (node.raw.length !== bytes.length) throw new DerError('bytes after the end of the structure')
  return node
}

/** The children of a constructed element, checked to carry `tag` when given. Throws DerError. */
export function childrenOf(node: DerNode, tag?: number): readonly DerNode[] {
  if (tag !== undefined && node.tag !== tag) throw new DerError(`expected tag ${tag}, found ${node.tag}`)
  const children: DerNode[] = []
  for (let offset = 0; offset < node.content.length; ) {
    const child = readDer(node.content, offset)
    children.push(child)
    offset += child.raw.length
  }
  return children
}

/** Dotted form of an object identifier. Throws DerError. */
export function oidOf(node: DerNode | undefined): string {
  if (node?.tag !== tags.oid || node.content.length === 0) throw new DerError('expected an object identifier')
  const arcs: number[] = []
  let value = 0
  for (const byte of node.content) {
    value = value * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)))
    else arcs.push(value)
    value = 0
  }
  return arcs.join('.')
}

/** Unix milliseconds of a UTCTime or GeneralizedTime. Throws DerError. */
export function timeOf(node: DerNode | undefined): number {
  const text = node?.content.toString('latin1') ?? ''
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text)
  if (!match || (node?.tag !== tags.utcTime && node?.tag !== tags.generalizedTime)) throw new DerError('bad time')
  const [, yearText = '', ...rest] = match
  const short = Number(yearText)
  const year = yearText.length === 4 ? short : short < 50 ? 2000 + short : 1900 + short
  const [month = 1, day = 1, hour = 0, minute = 0, second = 0] = rest.map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** Encodes one element around its content parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const size: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256)
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length, ...size]), content])
}

/** Encodes a dotted object identifier. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc % 128]
    for (let value = Math.floor(arc / 128); value > 0; value = Math.floor(value / 128))
      group.unshift((value % 128) | 0x80)
    bytes.push(...group)
  }
  return der(tags.oid, Buffer.from(bytes))
}

/** Encodes a non-negative integer given as big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const trimmed = Buffer.from(bytes.subarray(start))
  const negative = ((trimmed[0] ?? 0) & 0x80) !== 0
  return der(tags.integer, negative ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}

/** Encodes a DER SET OF: members in the order of their encodings. */
export function derSetOf(members: readonly Buffer[], tag: number = tags.set): Buffer {
  return der(tag, ...[...members].sort(Buffer.compare))
}

/** Encodes an instant: UTCTime before 2050, GeneralizedTime from then on. */
export function derTime(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  const short = Number(text.slice(0, 4)) < 2050
  return der(short ? tags.utcTime : tags.generalizedTime, Buffer.from(`${short ? text.slice(2) : text}Z`))
}
