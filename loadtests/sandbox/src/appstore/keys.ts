import { createPublicKey, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKeyPair, privateKeyPem } from '../crypto/certificate.ts'

/** A team's API key as its administrator holds it. */
export interface AppStoreKey {
  /** Ten characters. */
  readonly teamId: string
  /** UUID. */
  readonly issuerId: string
  readonly keyId: string
  /** The .p8 file: PKCS#8 PEM, P-256. */
  readonly privateKeyPem: string
}

/** What App Store Connect knows of a key. */
export interface RegisteredKey {
  readonly teamId: string
  readonly issuerId: string
  readonly keyId: string
  /** SPKI PEM. */
  readonly publicKeyPem: string
  /** Apple lets this team have certificates for NFC. */
  readonly nfc: boolean
}

interface KeyFile extends AppStoreKey {
  readonly nfc: boolean
}

function keysDir(dir: string): string {
  return join(dir, 'appstore-keys')
}

function readKeyFile(path: string): KeyFile {
  return JSON.parse(readFileSync(path, 'utf8')) as KeyFile
}

/**
 * The API key of a team, made on first use and kept under `dir` (the sandbox's folder): a running sandbox on the same
 * folder knows it at once. `nfc` counts when the key is made. Throws RangeError for a malformed team.
 */
export function createAppStoreKey(dir: string, teamId: string, nfc = false): AppStoreKey {
  if (!/^[A-Z0-9]{10}$/.test(teamId)) throw new RangeError(`teamId: ${teamId}`)
  const folder = keysDir(dir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${teamId}.json`)
  if (!existsSync(path)) {
    const keyId = randomBytes(5).toString('hex').toUpperCase()
    const secret = privateKeyPem(createKeyPair('p256').privateKey)
    const file: KeyFile = { teamId, issuerId: randomUUID(), keyId, privateKeyPem: secret, nfc }
    writeFileSync(`${path}.tmp`, JSON.stringify(file), { mode: 0o600 })
    renameSync(`${path}.tmp`, path)
  }
  const { nfc: _, ...key } = readKeyFile(path)
  return key
}

/** Looks keys up by their id; reads the folder again only when an unknown one appears. */
export function openAppStoreKeys(dir: string): (keyId: string) => RegisteredKey | undefined {
  const known = new Map<string, RegisteredKey>()
  const files = new Set<string>()
  return (keyId) => {
    const found = known.get(keyId)
    if (found) return found
    const folder = keysDir(dir)
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (files.has(name) || !name.endsWith('.json')) continue
      files.add(name)
      const { privateKeyPem: secret, ...key } = readKeyFile(join(folder, name))
      const publicKeyPem = createPublicKey(secret).export({ type: 'spki', format: 'pem' }).toString()
      known.set(key.keyId, { ...key, publicKeyPem })
    }
    return known.get(keyId)
  }
}
