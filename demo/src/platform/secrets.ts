import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Keys of one data directory, made at its first start. */
export interface Secrets {
  /** API key with role admin. */
  readonly rootKey: string
  /** API key that services call each other with. */
  readonly serviceKey: string
  /** 32 bytes, base64. */
  readonly enrollmentMasterKey: string
  /** 32 bytes, base64. */
  readonly passRenderMasterKey: string
}

/** Reads the keys of a data directory, or makes them (a file that only its owner can read). */
export function loadSecrets(dataFolder: string): Secrets {
  const file = join(dataFolder, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  const secrets: Secrets = {
    rootKey: `sk_${randomBytes(32).toString('base64url')}`,
    serviceKey: `sk_${randomBytes(32).toString('base64url')}`,
    enrollmentMasterKey: randomBytes(32).toString('base64'),
    passRenderMasterKey: randomBytes(32).toString('base64'),
  }
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}

/** SHA-256 of a key, hex. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
