import { type KeyObject, randomBytes, sign } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { decodeNdef, encodeNdef, payloadOf, record } from './ndef.ts'
import { NfcError } from './nfc-error.ts'
import { ephemeralKey } from './p256.ts'
import { sessionKeys, unseal } from './smart-tap-keys.ts'

/** How a reader proves whose it is. */
export interface Collector {
  /** Collector id of the issuer, 32 bits. */
  readonly id: number
  /** Long-term key on P-256; its public half is registered with the issuer. */
  readonly privateKey: KeyObject
  readonly keyVersion: number
}

/** Format byte in front of binary payloads. */
export const BINARY = 0x04
/** Bits of the first byte of a record bundle. */
export const bundleFlag = { encrypted: 1, compressed: 2 } as const
/** Bytes of a nonce. */
export const NONCE_BYTES = 32
/** Types of objects that hold a redemption value. */
export const objectTypes = ['ly', 'of', 'gc', 'gr', 'et'] as const
const version = Buffer.from([0, 1])
const statusOk = 1
/** Largest bundle after inflating, in bytes. */
const MAX_INFLATED_BYTES = 64 * 1024

/** The four bytes of a collector id. */
export function collectorBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(id)
  return bytes
}

/** A session record: eight bytes of id, a counter and a status. */
export function sessionRecord(sessionId: Buffer, sequence: number) {
  return record('ses', Buffer.concat([sessionId, Buffer.from([sequence, statusOk])]))
}

/** One tap of a reader: negotiate, ask, read. */
export class SmartTapReader {
  readonly #collector: Collector
  readonly #sessionId: Buffer
  readonly #nonce: Buffer
  readonly #own = ephemeralKey()
  #signed = Buffer.alloc(0)
  #signature = Buffer.alloc(0)

  constructor(collector: Collector, sessionId = randomBytes(8), nonce = randomBytes(NONCE_BYTES)) {
    this.#collector = collector
    this.#sessionId = sessionId
    this.#nonce = nonce
  }

  /** Data of NEGOTIATE SECURE CHANNEL for a phone that gave this nonce: proves that the reader is the issuer's. */
  negotiate(phoneNonce: Buffer): Buffer {
    const { id, privateKey, keyVersion } = this.#collector
    this.#signed = Buffer.concat([this.#nonce, phoneNonce, collectorBytes(id), this.#own.publicKey])
    this.#signature = sign('sha256', this.#signed, privateKey)
    const proof = encodeNdef([
      record('sig', Buffer.concat([Buffer.from([BINARY]), this.#signature])),
      record('cld', Buffer.concat([Buffer.from([BINARY]), collectorBytes(id)])),
    ])
    const live = Buffer.from([1])
    const parameters = Buffer.concat([this.#nonce, live, this.#own.publicKey, collectorBytes(keyVersion), proof])
    const nested = encodeNdef([sessionRecord(this.#sessionId, 0), record('cpr', parameters)])
    return encodeNdef([record('ngr', Buffer.concat([version, nested]))])
  }

  /** Data of GET DATA: all kinds of objects. */
  request(): Buffer {
    const collector = record('cld', Buffer.concat([Buffer.from([BINARY]), collectorBytes(this.#collector.id)]))
    const everything = record('str', Buffer.from([0]))
    const canInflate = Buffer.from([0x41, 0, 0, 0, 4])
    const nested = encodeNdef([
      sessionRecord(this.#sessionId, 1),
      record('mer', encodeNdef([collector])),
      record('slr', encodeNdef([everything])),
      record('pcr', canInflate),
    ])
    return encodeNdef([record('srq', Buffer.concat([version, nested]))])
  }

  /** The redemption values in a phone's answers to both commands. Throws NfcError MALFORMED or NOT_AUTHENTIC. */
  read(negotiated: Buffer, answer: Buffer): readonly string[] {
    const phoneKey = payloadOf(decodeNdef(payloadOf(decodeNdef(negotiated), 'nrs')), 'dpk')
    const keys = sessionKeys(this.#own.agree(phoneKey), phoneKey, this.#signed, this.#signature)
    const bundle = payloadOf(decodeNdef(payloadOf(decodeNdef(answer), 'srs')), 'reb')
    const flags = bundle[0] ?? 0
    if ((flags & bundleFlag.encrypted) === 0) throw new NfcError('NOT_AUTHENTIC', 'a bundle came in clear')
    const opened = unseal(keys, bundle.subarray(1))
    return valuesOf((flags & bundleFlag.compressed) === 0 ? opened : inflate(opened))
  }
}

function inflate(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })
  } catch (cause) {
    throw new NfcError('MALFORMED', 'a bundle does not inflate', { cause })
  }
}

function valuesOf(bundle: Buffer): readonly string[] {
  const services = decodeNdef(bundle).filter(({ type }) => type === 'asv')
  return services.flatMap(({ payload }) => {
    const object = decodeNdef(payload).find(({ type }) => objectTypes.some((known) => known === type))
    const number = object === undefined ? undefined : decodeNdef(object.payload).find(({ type }) => type === 'n')
    // The first byte tells the format of the text.
    return number === undefined ? [] : [number.payload.toString('utf8', 1)]
  })
}
