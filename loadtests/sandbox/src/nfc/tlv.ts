import { NfcError } from './nfc-error.ts'

/** A length has at most so many bytes: taps are short. */
const MAX_LENGTH_BYTES = 2

/** Encodes one BER-TLV element (ISO 7816-4 annex D); the tag in hexadecimal. */
export function tlv(tag: string, ...content: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(content)
  const { length } = value
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(tag, 'hex'), Buffer.from(lengthBytes), value])
}

/** Decodes elements side by side, by tag in hexadecimal; throws NfcError MALFORMED. */
export function decodeTlv(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>()
  try {
    for (let at = 0; at < bytes.length; ) {
      const tagLength = (bytes.readUInt8(at) & 0x1f) === 0x1f ? 2 : 1
      const tag = bytes.toString('hex', at, at + tagLength)
      at += tagLength
      const first = bytes.readUInt8(at++)
      const more = first < 0x80 ? 0 : first & 0x7f
      if (more > MAX_LENGTH_BYTES) throw new RangeError('a length of too many bytes')
      const length = more === 0 ? first : bytes.readUIntBE(at, more)
      at += more
      if (at + length > bytes.length) throw new RangeError('beyond the end')
      found.set(tag, bytes.subarray(at, at + length))
      at += length
    }
  } catch (cause) {
    throw new NfcError('MALFORMED', 'a TLV element is cut off', { cause })
  }
  return found
}
