import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { NfcError } from './nfc-error.ts'

const AES_BYTES = 16
const HMAC_BYTES = 32
const IV_BYTES = 12
const CIPHER = 'aes-128-ctr'

/** Both keys of a session. */
export interface SessionKeys {
  readonly aes: Buffer
  readonly hmac: Buffer
}

/** Keys of a session: HKDF-SHA256 over the shared secret, salted with the phone's key, bound to what the reader signed. */
export function sessionKeys(secret: Buffer, phoneKey: Buffer, signed: Buffer, signature: Buffer): SessionKeys {
  const info = Buffer.concat([signed, signature])
  const bytes = Buffer.from(hkdfSync('sha256', secret, phoneKey, info, AES_BYTES + HMAC_BYTES))
  return { aes: bytes.subarray(0, AES_BYTES), hmac: bytes.subarray(AES_BYTES) }
}

/** IV, ciphertext and tag. */
export function seal(keys: SessionKeys, iv: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv(CIPHER, keys.aes, counterBlock(iv))
  const body = Buffer.concat([iv, cipher.update(plain), cipher.final()])
  return Buffer.concat([body, createHmac('sha256', keys.hmac).update(body).digest()])
}

/** Checks the tag, then decrypts. Throws NfcError MALFORMED or NOT_AUTHENTIC. */
export function unseal(keys: SessionKeys, sealed: Buffer): Buffer {
  if (sealed.length < IV_BYTES + HMAC_BYTES) throw new NfcError('MALFORMED', 'a sealed record is too short')
  const body = sealed.subarray(0, -HMAC_BYTES)
  const expected = createHmac('sha256', keys.hmac).update(body).digest()
  if (!timingSafeEqual(expected, sealed.subarray(-HMAC_BYTES))) {
    throw new NfcError('NOT_AUTHENTIC', 'a record was changed on its way or is of another session')
  }
  const decipher = createDecipheriv(CIPHER, keys.aes, counterBlock(body.subarray(0, IV_BYTES)))
  return Buffer.concat([decipher.update(body.subarray(IV_BYTES)), decipher.final()])
}

function counterBlock(iv: Buffer): Buffer {
  return Buffer.concat([iv, Buffer.alloc(AES_BYTES - iv.length)])
}
