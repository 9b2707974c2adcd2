import { createPublicKey } from 'node:crypto'
import { asObject, asText, checkFlag, fail, onlyKeys, optional } from './validate-values.ts'

/** Longest message for readers, in bytes: Wallet cuts off what is beyond. */
export const MAX_NFC_MESSAGE_BYTES = 64

const nfcKeys: ReadonlySet<string> = new Set(['message', 'encryptionPublicKey', 'requiresAuthentication'])
/** Keys that were found good: a design has one for all its passes, and reading it costs more than the rest of the checks. */
const goodKeys = new Set<string>()
const MAX_GOOD_KEYS = 1_000

/** Checks what a pass carries for contactless readers. */
export function checkNfc(value: unknown, path: string): void {
  const nfc = asObject(value, path)
  onlyKeys(nfc, nfcKeys, path)
  const message = asText(nfc['message'], `${path}.message`)
  if (Buffer.byteLength(message) > MAX_NFC_MESSAGE_BYTES) {
    fail(`${path}.message`, `must have at most ${MAX_NFC_MESSAGE_BYTES} bytes`)
  }
  checkKey(asText(nfc['encryptionPublicKey'], `${path}.encryptionPublicKey`), `${path}.encryptionPublicKey`)
  optional(nfc, 'requiresAuthentication', checkFlag, path)
}

function checkKey(base64: string, path: string): void {
  if (goodKeys.has(base64)) return
  if (!isP256(base64)) fail(path, 'must be base64 of a SubjectPublicKeyInfo on P-256')
  if (goodKeys.size >= MAX_GOOD_KEYS) goodKeys.clear()
  goodKeys.add(base64)
}

function isP256(base64: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
