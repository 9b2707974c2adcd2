import { createCipheriv, createDecipheriv, createHash, type KeyObject } from 'node:crypto'
import { NfcError } from './nfc-error.ts'
import { agreeWith, ephemeralKey, pointOf, pointOfSpki, pointOfX, xOf } from './p256.ts'
import { decodeTlv, tlv } from './tlv.ts'

/** What a pass carries for readers: the key `nfc` of pass.json. */
export interface VasPass {
  readonly passTypeIdentifier: string
  /** At most 64 bytes; Wallet cuts off what is beyond. */
  readonly message: string
  /** Base64 of the reader's SubjectPublicKeyInfo on P-256. */
  readonly encryptionPublicKey: string
}

/** What a reader learns. */
export interface VasReading {
  readonly message: string
  /** The phone's clock. */
  readonly at: Date
}

const MAX_MESSAGE_BYTES = 64
const KEY_ID_BYTES = 4
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const nonce = Buffer.alloc(16)
/** Seconds of the phone's clock count from here. */
const EPOCH_MS = Date.UTC(2001, 0, 1)
const tag = { template: '70', version: '9f22', passTypeHash: '9f25', capabilities: '9f26', cryptogram: '9f27' } as const

/** Data of a reader's GET DATA command for one pass type: version 1.0, VAS only, no further passes. */
export function vasRequest(passTypeIdentifier: string): Buffer {
  return Buffer.concat([
    tlv(tag.version, Buffer.from([1, 0])),
    tlv(tag.passTypeHash, sha256(passTypeIdentifier)),
    tlv(tag.capabilities, Buffer.from([0, 0x80, 0, 2])),
  ])
}

/** A phone's answer to GET DATA out of the passes in its wallet; throws NfcError NO_PASS. */
export function answerVas(passes: readonly VasPass[], request: Buffer, now: Date): Buffer {
  const wanted = decodeTlv(request).get(tag.passTypeHash)
  if (wanted === undefined) throw new NfcError('MALFORMED', 'a request names no pass type')
  const pass = passes.find((item) => sha256(item.passTypeIdentifier).equals(wanted))
  if (pass === undefined) throw new NfcError('NO_PASS', 'no pass of this type is installed')
  return tlv(tag.template, tlv(tag.cryptogram, encrypt(pass, now)))
}

function encrypt(pass: VasPass, now: Date): Buffer {
  const reader = pointOfSpki(pass.encryptionPublicKey)
  const own = ephemeralKey()
  const seconds = Buffer.alloc(4)
  seconds.writeUInt32BE(Math.floor((now.getTime() - EPOCH_MS) / 1000))
  const message = Buffer.from(pass.message).subarray(0, MAX_MESSAGE_BYTES)
  const cipher = createCipheriv(CIPHER, keyOf(own.agree(reader), pass.passTypeIdentifier), nonce)
  const ciphertext = Buffer.concat([cipher.update(Buffer.concat([seconds, message])), cipher.final()])
  return Buffer.concat([keyId(reader), xOf(own.publicKey), ciphertext, cipher.getAuthTag()])
}

/** Reads a phone's answer with the reader's key. Throws NfcError MALFORMED, WRONG_KEY or NOT_AUTHENTIC. */
export function readVas(answer: Buffer, passTypeIdentifier: string, readerKey: KeyObject): VasReading {
  const cryptogram = decodeTlv(decodeTlv(answer).get(tag.template) ?? Buffer.alloc(0)).get(tag.cryptogram)
  const headBytes = KEY_ID_BYTES + 32
  if (cryptogram === undefined || cryptogram.length < headBytes + 4 + TAG_BYTES) {
    throw new NfcError('MALFORMED', 'an answer holds no cryptogram')
  }
  if (!cryptogram.subarray(0, KEY_ID_BYTES).equals(keyId(pointOf(readerKey)))) {
    throw new NfcError('WRONG_KEY', 'the pass was made for another reader')
  }
  const secret = agreeWith(readerKey, pointOfX(cryptogram.subarray(KEY_ID_BYTES, headBytes)))
  const decipher = createDecipheriv(CIPHER, keyOf(secret, passTypeIdentifier), nonce)
  decipher.setAuthTag(cryptogram.subarray(-TAG_BYTES))
  try {
    const plain = Buffer.concat([decipher.update(cryptogram.subarray(headBytes, -TAG_BYTES)), decipher.final()])
    const at = new Date(EPOCH_MS + plain.readUInt32BE(0) * 1000)
    return { message: plain.toString('utf8', 4), at }
  } catch (cause) {
    throw new NfcError('NOT_AUTHENTIC', 'the cryptogram does not open', { cause })
  }
}

/** First bytes of the hash over a key's x: tells a reader which of its keys a pass was made for. */
function keyId(point: Buffer): Buffer {
  return sha256(xOf(point)).subarray(0, KEY_ID_BYTES)
}

/** ANSI X9.63 key derivation with SHA-256; 32 bytes need a single round. */
function keyOf(secret: Buffer, passTypeIdentifier: string): Buffer {
  const algorithm = 'id-aes256-GCM'
  const info = [
    Buffer.from([algorithm.length]),
    Buffer.from(`${algorithm}ApplePay encrypted VAS data`),
    sha256(passTypeIdentifier),
  ]
  return sha256(Buffer.concat([secret, Buffer.from([0, 0, 0, 1]), ...info]))
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
