import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { childrenOf, oidOf, readWholeDer, tags } from '../crypto/der.ts'
import { badAttribute, type Checked, good } from './problem.ts'

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11'
const KEY_BITS = 2048
const CSR_BYTES_MAX = 8192
const ARMOUR =
  /^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/

/** DER of what callers send: PEM, or base64 without armour. */
function bytesOf(text: string): Buffer | undefined {
  const base64 = ARMOUR.exec(text)?.[1] ?? text
  if (!/^[A-Za-z0-9+/=\s]+$/.test(base64)) return undefined
  return Buffer.from(base64, 'base64')
}

interface Request {
  readonly body: Buffer
  readonly algorithm: string
  readonly signature: Buffer
  readonly publicKey: KeyObject
}

/** Takes a PKCS#10 request apart. Throws for what is none. */
function parse(bytes: Buffer): Request {
  const [body, algorithm, signature] = childrenOf(readWholeDer(bytes), tags.sequence)
  if (!body || !algorithm || signature?.tag !== tags.bitString) throw new TypeError('not a request')
  const [version, subject, spki] = childrenOf(body, tags.sequence)
  if (version?.tag !== tags.integer || subject?.tag !== tags.sequence || !spki) throw new TypeError('not a request')
  return {
    body: body.raw,
    algorithm: oidOf(childrenOf(algorithm, tags.sequence)[0]),
    signature: signature.content.subarray(1),
    publicKey: createPublicKey({ key: spki.raw, format: 'der', type: 'spki' }),
  }
}

/** Public key of a certificate signing request whose signature proves the private half: RSA-2048 with SHA-256. */
export function checkCsr(text: unknown): Checked<KeyObject> {
  const refuse = (detail: string) => badAttribute('csrContent', detail)
  if (typeof text !== 'string' || text === '') return refuse('is missing')
  if (text.length > 2 * CSR_BYTES_MAX) return refuse('is too long')
  const bytes = bytesOf(text)
  if (!bytes) return refuse('is neither PEM nor base64')
  try {
    const { body, algorithm, signature, publicKey } = parse(bytes)
    if (publicKey.asymmetricKeyType !== 'rsa') return refuse('the key must be an RSA key')
    if (publicKey.asymmetricKeyDetails?.modulusLength !== KEY_BITS) return refuse(`the key must have ${KEY_BITS} bits`)
    if (algorithm !== SHA256_WITH_RSA) return refuse('must be signed with SHA-256')
    if (!verify('sha256', body, publicKey, signature)) return refuse('the signature is not by its own key')
    return good(publicKey)
  } catch {
    return refuse('is not a certificate signing request')
  }
}
