import { createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { decodeNdef, encodeNdef, payloadOf, record } from './ndef.ts'
import { NfcError } from './nfc-error.ts'
import { ephemeralKey } from './p256.ts'
import { BINARY, bundleFlag, collectorBytes, NONCE_BYTES, type objectTypes, sessionRecord } from './smart-tap.ts'
import { type SessionKeys, seal, sessionKeys } from './smart-tap-keys.ts'

/** Readers of an issuer as Google knows them. */
export interface RegisteredCollector {
  readonly issuerId: string
  readonly id: number
  /** Public keys by version; PEM. */
  readonly publicKeys: ReadonlyMap<number, string>
}

/** A saved object and its class, as they are at Google; JSON of the Wallet API. */
export interface SavedObject {
  readonly kind: 'loyalty' | 'offer' | 'giftCard' | 'generic' | 'eventTicket'
  readonly class: { readonly enableSmartTap?: boolean; readonly redemptionIssuers?: readonly string[] }
  readonly object: {
    readonly id: string
    readonly state?: string
    readonly smartTapRedemptionValue?: string
    readonly accountId?: string
    readonly barcode?: { readonly value?: string }
  }
}

const typeOfKind: Readonly<Record<SavedObject['kind'], (typeof objectTypes)[number]>> = {
  loyalty: 'ly',
  offer: 'of',
  giftCard: 'gc',
  generic: 'gr',
  eventTicket: 'et',
}
const AUTH_BYTES = 1
const POINT_BYTES = 33

/** A phone with saved objects, for one tap. */
export class SmartTapPhone {
  /** Given to the reader when it selects the application. */
  readonly nonce = randomBytes(NONCE_BYTES)
  readonly #objects: readonly SavedObject[]
  readonly #collectors: readonly RegisteredCollector[]
  readonly #own = ephemeralKey()
  #session: { readonly id: Buffer; readonly keys: SessionKeys; readonly issuerId: string } | undefined

  constructor(objects: readonly SavedObject[], collectors: readonly RegisteredCollector[]) {
    this.#objects = objects
    this.#collectors = collectors
  }

  /** Answers NEGOTIATE SECURE CHANNEL; throws NfcError READER_REFUSED for a reader that proves nothing. */
  negotiate(request: Buffer): Buffer {
    const nested = decodeNdef(payloadOf(decodeNdef(request), 'ngr').subarray(2))
    const sessionId = payloadOf(nested, 'ses').subarray(0, 8)
    const parameters = payloadOf(nested, 'cpr')
    const nonce = parameters.subarray(0, NONCE_BYTES)
    const keyAt = NONCE_BYTES + AUTH_BYTES
    const readerKey = parameters.subarray(keyAt, keyAt + POINT_BYTES)
    const keyVersion = parameters.readUInt32BE(keyAt + POINT_BYTES)
    const proof = decodeNdef(parameters.subarray(keyAt + POINT_BYTES + 4))
    const signature = binary(payloadOf(proof, 'sig'))
    const collector = this.#collector(binary(payloadOf(proof, 'cld')))
    const signed = Buffer.concat([nonce, this.nonce, collectorBytes(collector.id), readerKey])
    const known = collector.publicKeys.get(keyVersion)
    if (known === undefined || !verify('sha256', signed, publicKey(known), signature)) {
      throw new NfcError('READER_REFUSED', 'the reader’s proof does not verify')
    }
    const keys = sessionKeys(this.#own.agree(readerKey), this.#own.publicKey, signed, signature)
    this.#session = { id: sessionId, keys, issuerId: collector.issuerId }
    return encodeNdef([record('nrs', encodeNdef([sessionRecord(sessionId, 1), record('dpk', this.#own.publicKey)]))])
  }

  /** Answers GET DATA with what the reader's issuer may redeem; throws NfcError NO_PASS. */
  answer(request: Buffer): Buffer {
    payloadOf(decodeNdef(request), 'srq')
    const session = this.#session
    if (session === undefined) throw new NfcError('READER_REFUSED', 'nothing was negotiated')
    const services = this.#objects.flatMap((item) => serviceOf(item, session.issuerId))
    if (services.length === 0) throw new NfcError('NO_PASS', 'no object is for this reader')
    const plain = deflateSync(encodeNdef(services))
    const flags = Buffer.from([bundleFlag.encrypted | bundleFlag.compressed])
    const bundle = Buffer.concat([flags, seal(session.keys, randomBytes(12), plain)])
    return encodeNdef([record('srs', encodeNdef([sessionRecord(session.id, 2), record('reb', bundle)]))])
  }

  #collector(id: Buffer): RegisteredCollector {
    const found = this.#collectors.find((item) => collectorBytes(item.id).equals(id))
    if (found === undefined) throw new NfcError('READER_REFUSED', 'nobody registered the reader’s collector id')
    return found
  }
}

function serviceOf({ kind, class: of, object }: SavedObject, issuerId: string) {
  const mayRedeem = of.enableSmartTap === true && of.redemptionIssuers?.includes(issuerId) === true
  const value = object.smartTapRedemptionValue ?? object.barcode?.value ?? object.accountId
  if (!mayRedeem || value === undefined || (object.state ?? 'ACTIVE') !== 'ACTIVE') return []
  const text = Buffer.concat([Buffer.from([1]), Buffer.from(value, 'ascii')])
  const objectRecord = record(typeOfKind[kind], encodeNdef([record('n', text)]))
  return [record('asv', encodeNdef([objectRecord]))]
}

function binary(payload: Buffer): Buffer {
  if (payload[0] !== BINARY) throw new NfcError('MALFORMED', 'a binary record has another format')
  return payload.subarray(1)
}

function publicKey(pem: string): KeyObject {
  return createPublicKey(pem)
}
