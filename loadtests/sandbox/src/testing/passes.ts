import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { zipSync } from 'fflate'
import type { PassCertificate } from '../authority.ts'
import { readCertificate } from '../crypto/certificate.ts'
import { der, derInteger, derOid, derSetOf, derTime, tags } from '../crypto/der.ts'

/** A one-pixel PNG. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** Parts of a test pass; everything has a default. */
export interface TestPass {
  readonly certificate: PassCertificate
  readonly json?: Readonly<Record<string, unknown>>
  /** Replaces or adds files before the manifest is made; null leaves one out. */
  readonly files?: Readonly<Record<string, Buffer | null>>
  /** Changes files after everything was signed. */
  readonly tamper?: (files: Map<string, Uint8Array>) => unknown
  readonly signedAtMs?: number
}

/** A plain store card for a certificate. */
export function testPassJson(certificate: PassCertificate, more: Readonly<Record<string, unknown>> = {}): object {
  const { subject } = readCertificate(new X509Certificate(certificate.leafPem).raw)
  return {
    formatVersion: 1,
    passTypeIdentifier: subject.get('0.9.2342.19200300.100.1.1'),
    teamIdentifier: subject.get('2.5.4.11'),
    serialNumber: 'S-1',
    organizationName: 'Demo',
    description: 'Demo card',
    storeCard: { primaryFields: [{ key: 'points', label: 'Points', value: 0, changeMessage: 'You have %@ points' }] },
    ...more,
  }
}

/** A detached CMS signature over `content`, in the shape of Wallet passes. */
export function signDetached(
  content: Buffer,
  { leafPem, wwdrPem, keyPem }: PassCertificate,
  atMs = Date.now(),
): Buffer {
  const leaf = readCertificate(new X509Certificate(leafPem).raw)
  const sha256 = der(tags.sequence, derOid('2.16.840.1.101.3.4.2.1'), der(tags.null))
  const attribute = (oid: string, value: Buffer): Buffer => der(tags.sequence, derOid(oid), der(tags.set, value))
  const attributes = [
    attribute('1.2.840.113549.1.9.3', derOid('1.2.840.113549.1.7.1')),
    attribute('1.2.840.113549.1.9.5', derTime(atMs)),
    attribute('1.2.840.113549.1.9.4', der(tags.octetString, createHash('sha256').update(content).digest())),
  ]
  const signature = sign('sha256', derSetOf(attributes), createPrivateKey(keyPem))
  const one = derInteger(Buffer.from([1]))
  const signer = der(
    tags.sequence,
    one,
    der(tags.sequence, leaf.issuerDer, leaf.serialDer),
    sha256,
    derSetOf(attributes, 0xa0),
    der(tags.sequence, derOid('1.2.840.113549.1.1.1'), der(tags.null)),
    der(tags.octetString, signature),
  )
  const certificates = [leafPem, wwdrPem].map((pem) => new X509Certificate(pem).raw)
  const signedData = der(
    tags.sequence,
    one,
    der(tags.set, sha256),
    der(tags.sequence, derOid('1.2.840.113549.1.7.1')),
    der(0xa0, ...certificates),
    der(tags.set, signer),
  )
  return der(tags.sequence, derOid('1.2.840.113549.1.7.2'), der(0xa0, signedData))
}

/** A signed .pkpass. */
export function testPass({ certificate, json, files = {}, tamper, signedAtMs }: TestPass): Buffer {
  const content = new Map<string, Uint8Array>([
    ['pass.json', Buffer.from(JSON.stringify(testPassJson(certificate, json)))],
    ['icon.png', PIXEL],
    ['icon@2x.png', PIXEL],
  ])
  for (const [name, bytes] of Object.entries(files)) {
    if (bytes) content.set(name, bytes)
    else content.delete(name)
  }
  const hashes = [...content].map(([name, bytes]) => [name, createHash('sha1').update(bytes).digest('hex')])
  const manifest = Buffer.from(JSON.stringify(Object.fromEntries(hashes)))
  content.set('manifest.json', manifest)
  content.set('signature', signDetached(manifest, certificate, signedAtMs))
  tamper?.(content)
  return Buffer.from(zipSync(Object.fromEntries(content)))
}
