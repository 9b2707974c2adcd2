import { createECDH, createPublicKey, ECDH, type KeyObject } from 'node:crypto'
import { NfcError } from './nfc-error.ts'

const CURVE = 'prime256v1'
const COORDINATE_BYTES = 32

/** A key pair for one exchange. */
export interface EphemeralKey {
  /** 33 bytes. */
  readonly publicKey: Buffer
  /** Shared secret with a point, compressed or not. */
  agree(point: Buffer): Buffer
}

/** A new key pair on P-256. */
export function ephemeralKey(): EphemeralKey {
  const ecdh = createECDH(CURVE)
  ecdh.generateKeys()
  return { publicKey: ecdh.getPublicKey(null, 'compressed'), agree: (point) => agree(ecdh, point) }
}

/** Shared secret of a private key (PKCS#8 or SEC1, P-256) with a point. */
export function agreeWith(privateKey: KeyObject, point: Buffer): Buffer {
  const { d } = privateKey.export({ format: 'jwk' })
  if (typeof d !== 'string') throw new NfcError('MALFORMED', 'a reader’s key is no private key on P-256')
  const ecdh = createECDH(CURVE)
  ecdh.setPrivateKey(d, 'base64url')
  return agree(ecdh, point)
}

function agree(ecdh: ECDH, point: Buffer): Buffer {
  try {
    return ecdh.computeSecret(point)
  } catch (cause) {
    throw new NfcError('MALFORMED', 'a public key is no point of P-256', { cause })
  }
}

/** The point behind a SubjectPublicKeyInfo in base64, 65 bytes; its key may be compressed. */
export function pointOfSpki(base64: string): Buffer {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })
    return pointOf(key)
  } catch (cause) {
    throw new NfcError('MALFORMED', 'a public key is no SubjectPublicKeyInfo on P-256', { cause })
  }
}

/** The uncompressed point of a public or private key, 65 bytes. */
export function pointOf(key: KeyObject): Buffer {
  const { crv, x, y } = key.export({ format: 'jwk' })
  if (crv !== 'P-256' || x === undefined || y === undefined) {
    throw new NfcError('MALFORMED', 'a key is not on P-256')
  }
  return Buffer.concat([Buffer.from([4]), coordinate(x), coordinate(y)])
}

function coordinate(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  return Buffer.concat([Buffer.alloc(COORDINATE_BYTES - bytes.length), bytes])
}

/** The x coordinate of a point, 32 bytes. */
export function xOf(point: Buffer): Buffer {
  return point.subarray(1, 1 + COORDINATE_BYTES)
}

/** The 33 bytes of a point of which only x is known: which of the two it is does not change a shared secret. */
export function pointOfX(x: Buffer): Buffer {
  return ECDH.convertKey(Buffer.concat([Buffer.from([2]), x]), CURVE, undefined, undefined, 'compressed') as Buffer
}
