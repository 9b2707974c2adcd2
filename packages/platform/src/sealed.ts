import { createCipheriv, createDecipheriv, KeyObject, randomBytes } from 'node:crypto'
import type { Sealed } from '@stampede/proto/events/v1'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A key of 32 bytes. One that serves more than once is better a KeyObject: raw bytes cost 20 microseconds at each use. */
export type SealKey = Uint8Array | KeyObject

/** Thrown when sealed bytes cannot be opened: wrong key, wrong additional data, or damage. Says no more than that. */
export class SealError extends Error {
  override readonly name = 'SealError'
}

/** Additional data of a member's sealed value: a value moved to another member or field does not open. */
export function sealedAad(brand: string, memberId: string, field: string): string {
  return `${brand}/${memberId}/${field}`
}

/** Seals bytes under a 32-byte key: nonce (12 bytes), ciphertext, tag (16 bytes). */
export function sealBytes(key: SealKey, plain: Uint8Array, aad: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  return Buffer.concat([nonce, encrypt(key, nonce, plain, aad)])
}

/** Opens what sealBytes made. Throws SealError. */
export function openBytes(key: SealKey, sealed: Uint8Array, aad: string): Buffer {
  return decrypt(key, sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES), aad)
}

/** Seals a personal text under a member's key, for an event. */
export function seal(key: SealKey, keyVersion: number, plain: string, aad: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
  return { keyVersion, nonce, ciphertext: encrypt(key, nonce, Buffer.from(plain), aad) }
}

/** Opens a personal text. The key must be of the version that the value names. Throws SealError. */
export function openSealed(key: SealKey, sealed: Sealed, aad: string): string {
  return decrypt(key, sealed.nonce, sealed.ciphertext, aad).toString('utf8')
}

function encrypt(key: SealKey, nonce: Uint8Array, plain: Uint8Array, aad: string): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(Buffer.from(aad))
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: SealKey, nonce: Uint8Array, ciphertext: Uint8Array, aad: string): Buffer {
  if (keyBytes(key) !== KEY_BYTES || nonce.length !== NONCE_BYTES || ciphertext.length < TAG_BYTES)
    throw new SealError('the sealed value has a wrong shape')
  const end = ciphertext.length - TAG_BYTES
  // The length is pinned, or a cut tag of 4 bytes would be accepted too.
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(ciphertext.subarray(end))
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()])
  } catch (error) {
    throw new SealError('the sealed value cannot be opened', { cause: error })
  }
}

function keyBytes(key: SealKey): number | undefined {
  return key instanceof KeyObject ? key.symmetricKeySize : key.length
}
