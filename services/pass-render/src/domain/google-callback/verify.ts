import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'

/** Who signs callbacks of Wallet. */
const SENDER_ID = 'GooglePayPasses'
const PROTOCOL = 'ECv2SigningOnly'

/** A root key of Google's that has not expired. */
export interface RootKey {
  readonly key: KeyObject
  readonly expiresAtMs: number
}

/** The four parts of a callback's body. */
export interface SignedCallback {
  readonly signature: string
  readonly signedKey: string
  readonly keySignatures: readonly string[]
  readonly signedMessage: string
}

/** What happened to a card at Google. */
export interface CallbackMessage {
  readonly classId: string
  readonly objectId: string
  readonly event: 'save' | 'delete'
  readonly expiresAtMs: number
  /** Unique per callback: repeats carry the same one. */
  readonly nonce: string
}

/** A verdict on a callback. */
export type Verdict =
  | { readonly ok: true; readonly message: CallbackMessage }
  | {
      readonly ok: false
      readonly reason: string /** Whether other root keys could change it. */
      readonly isUnknownRoot: boolean
    }

const MAX_KEY_SIGNATURES = 10

/** The parts of a body; undefined when it is none. */
export function parseCallback(body: unknown): SignedCallback | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { signature, intermediateSigningKey, protocolVersion, signedMessage } = body as Record<string, unknown>
  if (typeof signature !== 'string' || typeof signedMessage !== 'string' || protocolVersion !== PROTOCOL)
    return undefined
  if (typeof intermediateSigningKey !== 'object' || intermediateSigningKey === null) return undefined
  const { signedKey, signatures } = intermediateSigningKey as Record<string, unknown>
  if (typeof signedKey !== 'string' || !Array.isArray(signatures) || signatures.length > MAX_KEY_SIGNATURES) {
    return undefined
  }
  const keySignatures = signatures.filter((item): item is string => typeof item === 'string')
  return { signature, signedKey, keySignatures, signedMessage }
}

/** Root keys out of Google's JSON: those of this protocol with an end that has not come. */
export function parseRootKeys(body: unknown, nowMs: number): readonly RootKey[] {
  const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined
  if (!Array.isArray(keys)) return []
  return keys.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return []
    const { keyValue, protocolVersion, keyExpiration } = item as Record<string, unknown>
    const expiresAtMs = Number(keyExpiration ?? Number.NaN)
    if (protocolVersion !== PROTOCOL || typeof keyValue !== 'string' || !(expiresAtMs > nowMs)) return []
    const key = readKey(keyValue)
    return key === undefined ? [] : [{ key, expiresAtMs }]
  })
}

/**
 * Checks a callback as Google's payment tokens are checked (ECv2SigningOnly): a root key signs the intermediate key, and
 * that key the message, each over lengths and bytes of exactly what came. `recipientId` is the issuer it must be for.
 */
export function verifyCallback(
  callback: SignedCallback,
  rootKeys: readonly RootKey[],
  recipientId: string,
  nowMs: number,
): Verdict {
  const signedKey = lengthsAndBytes([SENDER_ID, PROTOCOL, callback.signedKey])
  const roots = rootKeys.filter((root) => root.expiresAtMs > nowMs)
  if (!callback.keySignatures.some((item) => roots.some((root) => isSigned(signedKey, root.key, item)))) {
    return refused('no root key signed the intermediate key', true)
  }
  const intermediate = parseJson(callback.signedKey)
  const expiresAtMs = Number(intermediate?.['keyExpiration'] ?? Number.NaN)
  if (!(expiresAtMs > nowMs)) return refused('the intermediate key has expired')
  const key = typeof intermediate?.['keyValue'] === 'string' ? readKey(intermediate['keyValue']) : undefined
  if (key === undefined) return refused('the intermediate key is none')
  const signed = lengthsAndBytes([SENDER_ID, recipientId, PROTOCOL, callback.signedMessage])
  if (!isSigned(signed, key, callback.signature)) return refused('the message is not signed for this issuer')
  const message = parseMessage(callback.signedMessage)
  if (message === undefined) return refused('the message is none')
  return message.expiresAtMs > nowMs ? { ok: true, message } : refused('the message has expired')
}

function refused(reason: string, isUnknownRoot = false): Verdict {
  return { ok: false, reason, isUnknownRoot }
}

/** Each part behind its length in bytes, four bytes little-endian. */
function lengthsAndBytes(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      return [length, bytes]
    }),
  )
}

function isSigned(data: Buffer, key: KeyObject, signature: string): boolean {
  try {
    return verify('sha256', data, { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

function readKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
  } catch {
    return undefined
  }
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function parseMessage(text: string): CallbackMessage | undefined {
  const { classId, objectId, eventType, expTimeMillis, nonce } = parseJson(text) ?? {}
  if (typeof classId !== 'string' || typeof objectId !== 'string' || typeof nonce !== 'string') return undefined
  if (eventType !== 'save' && eventType !== 'del') return undefined
  return {
    classId,
    objectId,
    event: eventType === 'save' ? 'save' : 'delete',
    expiresAtMs: Number(expTimeMillis),
    nonce,
  }
}

/** What is remembered of a nonce. */
export function nonceDigest(nonce: string): Buffer {
  return createHash('sha256').update(nonce).digest().subarray(0, 16)
}
