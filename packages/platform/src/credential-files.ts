import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { failedPrecondition, invalidArgument } from './errors.ts'

/** A brand's Apple certificate: it authenticates to APNs and signs passes. */
export interface AppleCredential {
  /** Leaf certificate, PEM. */
  readonly certPem: string
  /** Certificate of its issuer, PEM. */
  readonly wwdrPem: string
  /** Private key, PEM. */
  readonly keyPem: string
  /** SHA-256 of the leaf, upper-case hexadecimal with colons. */
  readonly fingerprint: string
}

/** A brand's Google service account. */
export interface GoogleCredential {
  readonly clientEmail: string
  /** PEM. */
  readonly privateKeyPem: string
}

const shardCount = 64
const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const keyPattern = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----/
const appleIssuer = 'CN=Apple Worldwide Developer Relations Certification Authority'
/** SHA-256 of the intermediates of Apple that issue Pass Type ID certificates: WWDR G4 (until 2030-12-10). */
const appleIntermediates: ReadonlySet<string> = new Set([
  'EA:47:57:88:55:38:DD:8C:B5:9F:F4:55:6F:67:60:87:D8:3C:85:E7:09:02:C1:22:E4:2C:08:08:B5:BC:E1:4C',
])

/** Folder of a brand's files: brands are spread over 64 Secrets by the first byte of the slug's SHA-256. */
export function credentialShard(brand: string): string {
  const first = createHash('sha256').update(brand).digest().readUInt8(0)
  return `shard-${String(first % shardCount).padStart(2, '0')}`
}

/** Reads `<brand>.apple.pem`; throws INVALID_ARGUMENT when it lacks a part or the key is not the certificate's. */
export function parseAppleCredential(text: string): AppleCredential {
  const keyPem = keyPattern.exec(text)?.[0]
  if (keyPem === undefined) throw invalidArgument('key', 'no private key in the file')
  const certificates = (text.match(certificatePattern) ?? []).map(parseCertificate)
  const key = parseKey(keyPem)
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key))
  if (leaf === undefined) throw invalidArgument('certificate', 'no certificate in the file belongs to its private key')
  const issuer = certificates.find((certificate) => certificate !== leaf && leaf.checkIssued(certificate))
  if (issuer === undefined) throw invalidArgument('wwdr', 'the file lacks the certificate of the issuer')
  return {
    certPem: leaf.toString(),
    wwdrPem: issuer.toString(),
    keyPem: `${keyPem}\n`,
    fingerprint: leaf.fingerprint256,
  }
}

/** Reads `<brand>.google.json`; throws INVALID_ARGUMENT when a part is missing or no key. */
export function parseGoogleCredential(text: string): GoogleCredential {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    throw invalidArgument('json', 'the file is not JSON')
  }
  const fields = typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : {}
  const { client_email: clientEmail, private_key: privateKeyPem } = fields
  if (typeof clientEmail !== 'string' || clientEmail === '') throw invalidArgument('client_email', 'is missing')
  if (typeof privateKeyPem !== 'string') throw invalidArgument('private_key', 'is missing')
  parseKey(privateKeyPem)
  return { clientEmail, privateKeyPem }
}

/**
 * Whether a certificate is Apple's: signed by a pinned intermediate. One that merely names Apple as its issuer counts
 * as Apple's too, unless the issuer at hand is proven to be another's: in doubt it must not leave for a sandbox.
 */
export function isAppleIssued(certPem: string, issuerPem?: string): boolean {
  const leaf = parseCertificate(certPem)
  if (issuerPem !== undefined) {
    const issuer = parseCertificate(issuerPem)
    if (leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)) return appleIntermediates.has(issuer.fingerprint256)
  }
  return leaf.issuer.split('\n').includes(appleIssuer)
}

/**
 * Refuses to show Apple's credentials to anybody else, or a sandbox's to Apple; throws FAILED_PRECONDITION. To be
 * called wherever a credential meets a host for the first time.
 */
export function assertCredentialMatchesHost(credential: AppleCredential, host: string): void {
  const genuine = isAppleIssued(credential.certPem, credential.wwdrPem)
  const apples = isAppleHost(host)
  if (genuine && !apples) throw failedPrecondition(`a certificate of Apple's is not used with ${host}`)
  if (!genuine && apples) throw failedPrecondition(`a certificate that is not Apple's is not used with ${host}`)
}

function isAppleHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return name === 'apple.com' || name.endsWith('.apple.com')
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw invalidArgument('certificate', 'is not readable')
  }
}

function parseKey(pem: string) {
  try {
    return createPrivateKey(pem)
  } catch {
    throw invalidArgument('key', 'the private key is not readable')
  }
}
