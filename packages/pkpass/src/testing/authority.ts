import { generateKeyPair, randomBytes, type webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { BitString, Integer, Null, Utf8String } from 'asn1js'
import { AttributeTypeAndValue, BasicConstraints, Certificate, CryptoEngine, Extension, ExtKeyUsage } from 'pkijs'
import { PASS_SIGNING_USAGE, PASS_TYPE_EXTENSION } from '../certificate.ts'

/** PEM texts that createSigner takes. */
export interface PassCredentials {
  readonly certPem: string
  readonly wwdrPem: string
  readonly keyPem: string
}

/** A root and an intermediate that stand in for Apple's. */
export interface TestAuthority {
  readonly rootPem: string
  readonly wwdrPem: string
  /** Issues a Pass Type ID certificate of Apple's anatomy with an RSA-2048 key. */
  issue(request: IssueRequest): Promise<PassCredentials>
}

/** What the certificate says; valid from an hour ago for a year unless told otherwise. */
export interface IssueRequest {
  readonly passTypeIdentifier: string
  readonly teamIdentifier: string
  readonly notBefore?: Date
  /** In the past: an expired certificate. */
  readonly notAfter?: Date
  /** The NFC-enabled kind. Default false. */
  readonly nfc?: boolean
  /** false leaves out the usage that allows signing passes. */
  readonly forPasses?: boolean
}

const engine = new CryptoEngine({ name: 'node', crypto: globalThis.crypto, subtle: globalThis.crypto.subtle })
const makeKeyPair = promisify(generateKeyPair)
const oid = {
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  userId: '0.9.2342.19200300.100.1.1',
  keyUsage: '2.5.29.15',
  extKeyUsage: '2.5.29.37',
  basicConstraints: '2.5.29.19',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  apns: '1.2.840.113635.100.6.3.2',
}
const yearMs = 365 * 24 * 3_600_000
const hourMs = 3_600_000

interface Party {
  readonly certificate: Certificate
  readonly privateKey: webcrypto.CryptoKey
  readonly keyPem: string
}

interface Draft {
  readonly subject: readonly (readonly [string, string])[]
  readonly extensions: readonly Extension[]
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Makes a test authority around the instant given. */
export async function createTestAuthority(now: Date): Promise<TestAuthority> {
  const life = { notBefore: new Date(now.getTime() - 5 * yearMs), notAfter: new Date(now.getTime() + 5 * yearMs) }
  const root = await make({ ...life, subject: [[oid.commonName, 'Test Root CA']], extensions: caExtensions() })
  const wwdr = await make({ ...life, subject: [[oid.commonName, 'Test WWDR G4']], extensions: caExtensions() }, root)
  const wwdrPem = toPem(wwdr.certificate)
  return {
    rootPem: toPem(root.certificate),
    wwdrPem,
    async issue(request) {
      const leaf = await make(leafDraft(request, now), wwdr)
      return { certPem: toPem(leaf.certificate), wwdrPem, keyPem: leaf.keyPem }
    },
  }
}

function leafDraft(request: IssueRequest, now: Date): Draft {
  const usages = [oid.clientAuth, ...(request.forPasses === false ? [] : [PASS_SIGNING_USAGE])]
  return {
    subject: [
      [oid.userId, request.passTypeIdentifier],
      [oid.commonName, `Pass Type ID${request.nfc ? ' with NFC' : ''}: ${request.passTypeIdentifier}`],
      [oid.organizationalUnit, request.teamIdentifier],
    ],
    extensions: [
      extension(oid.keyUsage, true, keyUsage(0x80, 7)),
      extension(oid.extKeyUsage, true, new ExtKeyUsage({ keyPurposes: usages }).toSchema().toBER()),
      extension(PASS_TYPE_EXTENSION, false, new Utf8String({ value: request.passTypeIdentifier }).toBER()),
      extension(oid.apns, false, new Null().toBER()),
    ],
    notBefore: request.notBefore ?? new Date(now.getTime() - hourMs),
    notAfter: request.notAfter ?? new Date(now.getTime() + yearMs),
  }
}

function caExtensions(): readonly Extension[] {
  return [
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: true }).toSchema().toBER()),
    extension(oid.keyUsage, true, keyUsage(0x06, 1)),
  ]
}

function keyUsage(bits: number, unusedBits: number): ArrayBuffer {
  return new BitString({ valueHex: new Uint8Array([bits]), unusedBits }).toBER()
}

function extension(extnID: string, critical: boolean, extnValue: ArrayBuffer): Extension {
  return new Extension({ extnID, critical, extnValue })
}

async function make(draft: Draft, issuer?: Party): Promise<Party> {
  const pair = await makeKeyPair('rsa', { modulusLength: 2048 })
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const pkcs8 = new Uint8Array(pair.privateKey.export({ format: 'der', type: 'pkcs8' }))
  const spki = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }))
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
  const publicKey = await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify'])
  const serial = randomBytes(12)
  serial[0] = 0x11
  const certificate = new Certificate({ version: 2, serialNumber: new Integer({ valueHex: new Uint8Array(serial) }) })
  for (const [type, value] of draft.subject) {
    certificate.subject.typesAndValues.push(new AttributeTypeAndValue({ type, value: new Utf8String({ value }) }))
  }
  certificate.issuer = issuer?.certificate.subject ?? certificate.subject
  certificate.notBefore.value = draft.notBefore
  certificate.notAfter.value = draft.notAfter
  certificate.extensions = [...draft.extensions]
  await certificate.subjectPublicKeyInfo.importKey(publicKey, engine)
  await certificate.sign(issuer?.privateKey ?? privateKey, 'SHA-256', engine)
  return { certificate, privateKey, keyPem: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }
}

function toPem(certificate: Certificate): string {
  const base64 = Buffer.from(certificate.toSchema(true).toBER()).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`
}
