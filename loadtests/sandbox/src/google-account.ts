import { createPublicKey, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKeyPair, privateKeyPem } from './crypto/certificate.ts'

/** A Google service account as its owner holds it. */
export interface ServiceAccount {
  readonly clientEmail: string
  /** PKCS#8 PEM, RSA-2048. */
  readonly privateKeyPem: string
}

/** What the stand-in for Google knows of an account. */
export interface RegisteredAccount {
  readonly clientEmail: string
  /** Issuer whose classes and objects this account may write. */
  readonly issuerId: string
  /** SPKI PEM. */
  readonly publicKeyPem: string
}

interface AccountFile extends ServiceAccount {
  readonly issuerId: string
}

function accountsDir(dir: string): string {
  return join(dir, 'google-accounts')
}

function readAccount(path: string): AccountFile {
  return JSON.parse(readFileSync(path, 'utf8')) as AccountFile
}

/**
 * The service account of an issuer, made on first use and kept under `dir` (the sandbox's folder): a running
 * sandbox on the same folder knows it at once. Throws RangeError for an issuer id that is not digits.
 */
export function createServiceAccount(dir: string, issuerId: string): ServiceAccount {
  if (!/^[0-9]{1,19}$/.test(issuerId)) throw new RangeError(`issuerId: ${issuerId}`)
  const folder = accountsDir(dir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${issuerId}.json`)
  if (!existsSync(path)) {
    const clientEmail = `wallet-${issuerId}-${randomBytes(3).toString('hex')}@sandbox.iam.gserviceaccount.com`
    const account: AccountFile = {
      issuerId,
      clientEmail,
      privateKeyPem: privateKeyPem(createKeyPair('rsa').privateKey),
    }
    const temporary = `${path}.${process.pid}.tmp`
    writeFileSync(temporary, JSON.stringify(account), { mode: 0o600 })
    renameSync(temporary, path)
  }
  const { clientEmail, privateKeyPem: pem } = readAccount(path)
  return { clientEmail, privateKeyPem: pem }
}

/** Looks accounts up by e-mail; reads the folder again only when an unknown one appears. */
export function openAccounts(dir: string): (clientEmail: string) => RegisteredAccount | undefined {
  const known = new Map<string, RegisteredAccount>()
  const files = new Set<string>()
  return (clientEmail) => {
    const found = known.get(clientEmail)
    if (found) return found
    const folder = accountsDir(dir)
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (files.has(name) || !name.endsWith('.json')) continue
      files.add(name)
      const account = readAccount(join(folder, name))
      const publicKeyPem = createPublicKey(account.privateKeyPem).export({ type: 'spki', format: 'pem' }).toString()
      known.set(account.clientEmail, { clientEmail: account.clientEmail, issuerId: account.issuerId, publicKeyPem })
    }
    return known.get(clientEmail)
  }
}
