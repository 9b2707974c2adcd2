import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

const KEY_BYTES = 32

/** Keys that a brand's one stored secret yields; each serves one purpose only. */
export interface BrandKeys {
  /** Of the HMAC index over references, e-mail addresses and phone numbers. */
  readonly index: KeyObject
  /** Of the permutation behind the card numbers. */
  readonly card: Uint8Array
  /** Of the HMAC over request bodies: a bare hash of a phone number could be searched for. */
  readonly body: KeyObject
}

/** Derives a brand's keys from its 32-byte secret. */
export function deriveBrandKeys(secret: Uint8Array): BrandKeys {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `stampede enrollment ${purpose} v1`, KEY_BYTES))
  return { index: createSecretKey(derive('index')), card: derive('card'), body: createSecretKey(derive('body')) }
}

/** What a member can be found by or must not share with another one. */
export type IndexKind = 'reference' | 'email' | 'phone'

/** Value of an index row: equal values are found, the value itself cannot be read back without the key. */
export function indexValue(keys: BrandKeys, kind: IndexKind, canonical: string): Buffer {
  return createHmac('sha256', keys.index).update(`${kind}\0${canonical}`).digest()
}

/** Keyed hash of a request's body, to tell a repeat from a reused idempotency key. */
export function bodyHash(keys: BrandKeys, body: Uint8Array): Buffer {
  return createHmac('sha256', keys.body).update(body).digest()
}
