import { createHash, randomBytes } from 'node:crypto'

/** API keys of a test and their hashes, as the environment carries them. */
export interface TestKeys {
  /** Role admin. */
  readonly rootKey: string
  readonly rootKeySha256: string
  /** Role service. */
  readonly serviceKey: string
  readonly serviceKeySha256: string
}

/** Makes fresh API keys. */
export function testKeys(): TestKeys {
  const rootKey = randomBytes(32).toString('base64url')
  const serviceKey = randomBytes(32).toString('base64url')
  return { rootKey, rootKeySha256: sha256(rootKey), serviceKey, serviceKeySha256: sha256(serviceKey) }
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
