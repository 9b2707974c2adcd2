import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

/** The body of a callback as Google sends it. */
export interface CallbackBody {
  readonly signature: string
  readonly intermediateSigningKey: { readonly signedKey: string; readonly signatures: readonly string[] }
  readonly protocolVersion: string
  readonly signedMessage: string
}

const sender = 'GooglePayPasses'
const protocol = 'ECv2SigningOnly'
const dayMs = 24 * 3_600_000

/** Signs callbacks as Google does, with keys of its own. */
export class CallbackSigner {
  readonly #nowMs: number
  readonly #root = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  readonly #keyEndsMs: number

  constructor(nowMs: number, { keyEndsMs = nowMs + 8 * dayMs }: { readonly keyEndsMs?: number } = {}) {
    this.#nowMs = nowMs
    this.#keyEndsMs = keyEndsMs
  }

  /** What Google's page of root keys says. */
  rootKeys(change: Readonly<Record<string, unknown>> = {}): object {
    const keyExpiration = String(this.#nowMs + 365 * dayMs)
    return { keys: [{ keyValue: spki(this.#root.publicKey), protocolVersion: protocol, keyExpiration, ...change }] }
  }

  /** A callback for an issuer. */
  callback(issuer: string, message: Readonly<Record<string, unknown>>): CallbackBody {
    const signedKey = JSON.stringify({ keyValue: spki(this.#key.publicKey), keyExpiration: String(this.#keyEndsMs) })
    const signedMessage = JSON.stringify({
      classId: `${issuer}.class`,
      objectId: `${issuer}.object`,
      eventType: 'save',
      expTimeMillis: this.#nowMs + dayMs,
      count: 1,
      nonce: randomUUID(),
      ...message,
    })
    return {
      signature: signed([sender, issuer, protocol, signedMessage], this.#key.privateKey),
      intermediateSigningKey: { signedKey, signatures: [signed([sender, protocol, signedKey], this.#root.privateKey)] },
      protocolVersion: protocol,
      signedMessage,
    }
  }
}

function spki(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64')
}

function signed(parts: readonly string[], key: KeyObject): string {
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(Buffer.byteLength(part))
    return [length, Buffer.from(part)]
  })
  return sign('sha256', Buffer.concat(framed), key).toString('base64')
}
