import { NfcError } from './nfc-error.ts'

/** TNF of a record whose type is a name of the protocol's own (NDEF specification 3.2.6). */
const EXTERNAL = 0x04
/** Longest message that is read, in bytes; a tap carries a few hundred. */
const MAX_MESSAGE_BYTES = 8_192
/** Most records of one message. */
const MAX_RECORDS = 64
const flag = { begin: 0x80, end: 0x40, short: 0x10, hasId: 0x08 } as const

/** One record: a type of three letters mostly, and its bytes. */
export interface NdefRecord {
  readonly type: string
  readonly id: string
  readonly payload: Buffer
}

/** A record of the external kind. */
export function record(type: string, payload: Uint8Array, id = ''): NdefRecord {
  return { type, id, payload: Buffer.from(payload) }
}

/** Encodes records as one message (NDEF specification 3.2). */
export function encodeNdef(records: readonly NdefRecord[]): Buffer {
  const last = records.length - 1
  return Buffer.concat(
    records.map(({ type, id, payload }, index) => {
      const isShort = payload.length < 256
      const head =
        (index === 0 ? flag.begin : 0) |
        (index === last ? flag.end : 0) |
        (isShort ? flag.short : 0) |
        (id === '' ? 0 : flag.hasId) |
        EXTERNAL
      const length = Buffer.alloc(isShort ? 1 : 4)
      if (isShort) length.writeUInt8(payload.length)
      else length.writeUInt32BE(payload.length)
      const idLength = id === '' ? [] : [id.length]
      return Buffer.concat([
        Buffer.from([head, type.length]),
        length,
        Buffer.from(idLength),
        Buffer.from(type, 'latin1'),
        Buffer.from(id, 'latin1'),
        payload,
      ])
    }),
  )
}

/** Decodes a message; throws NfcError MALFORMED when a length leads beyond its end. */
export function decodeNdef(bytes: Buffer): readonly NdefRecord[] {
  if (bytes.length > MAX_MESSAGE_BYTES) throw new NfcError('MALFORMED', 'an NDEF message is too long')
  const records: NdefRecord[] = []
  for (let at = 0; at < bytes.length; ) {
    if (records.length === MAX_RECORDS) throw new NfcError('MALFORMED', 'an NDEF message has too many records')
    const { item, next } = decodeRecord(bytes, at)
    records.push(item)
    at = next
  }
  return records
}

function decodeRecord(bytes: Buffer, start: number): { readonly item: NdefRecord; readonly next: number } {
  try {
    const head = bytes.readUInt8(start)
    const typeLength = bytes.readUInt8(start + 1)
    const isShort = (head & flag.short) !== 0
    const payloadLength = isShort ? bytes.readUInt8(start + 2) : bytes.readUInt32BE(start + 2)
    let at = start + 2 + (isShort ? 1 : 4)
    const idLength = (head & flag.hasId) === 0 ? 0 : bytes.readUInt8(at++)
    const next = at + typeLength + idLength + payloadLength
    if (next > bytes.length) throw new RangeError('beyond the end')
    const type = bytes.toString('latin1', at, at + typeLength)
    at += typeLength
    const id = bytes.toString('latin1', at, at + idLength)
    return { item: { type, id, payload: bytes.subarray(at + idLength, next) }, next }
  } catch (cause) {
    throw new NfcError('MALFORMED', 'an NDEF record is cut off', { cause })
  }
}

/** The payload of the first record with this type; throws NfcError MALFORMED when there is none. */
export function payloadOf(records: readonly NdefRecord[], type: string): Buffer {
  const found = records.find((item) => item.type === type)
  if (found === undefined) throw new NfcError('MALFORMED', `a message has no record ${type}`)
  return found.payload
}
