import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { childrenOf, der, derInteger, derOid, derSetOf, derTime, oidOf, readWholeDer, tags } from './der.ts'

/** Object identifiers of names and extensions that this authority writes. */
export const oids = {
  uid: '0.9.2342.19200300.100.1.1',
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  organization: '2.5.4.10',
  country: '2.5.4.6',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectKeyId: '2.5.29.14',
  authorityKeyId: '2.5.29.35',
  subjectAltName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  /** Extended key usage of pass signing. */
  passSigning: '1.2.840.113635.100.4.14',
  /** Extension that repeats the pass type id. */
  passTypeId: '1.2.840.113635.100.6.1.16',
  /** Extension that lets the certificate push in production. */
  apnsProduction: '1.2.840.113635.100.6.3.2',
} as const

/** One X.509 extension, value already DER. */
export interface ExtensionSpec {
  readonly oid: string
  readonly critical?: boolean
  readonly value: Buffer
}

/** A certificate to be made. */
export interface CertificateSpec {
  /** Subject attributes in order: object identifier and text. */
  readonly subject: readonly (readonly [oid: string, text: string])[]
  readonly publicKey: KeyObject
  /** Signer; absent means self-signed with `signingKey`. */
  readonly issuer?: { readonly subjectDer: Buffer; readonly publicKey: KeyObject }
  readonly signingKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly extensions: readonly ExtensionSpec[]
}

const SHA256_WITH_RSA = der(tags.sequence, derOid('1.2.840.113549.1.1.11'), der(tags.null))
const ECDSA_WITH_SHA256 = der(tags.sequence, derOid('1.2.840.10045.4.3.2'))
const SERIAL_BYTES = 16

/** DER of a distinguished name. */
export function nameDer(subject: CertificateSpec['subject']): Buffer {
  const rdns = subject.map(([oid, text]) =>
    derSetOf([der(tags.sequence, derOid(oid), der(tags.utf8String, Buffer.from(text)))]),
  )
  return der(tags.sequence, ...rdns)
}

function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
}

function extensionDer({ oid, critical, value }: ExtensionSpec): Buffer {
  const parts = [
    derOid(oid),
    ...(critical ? [der(tags.boolean, Buffer.from([0xff]))] : []),
    der(tags.octetString, value),
  ]
  return der(tags.sequence, ...parts)
}

/** Extensions that mark a certificate authority. */
export function authorityExtensions(pathLength: number): readonly ExtensionSpec[] {
  const constraints = der(tags.sequence, der(tags.boolean, Buffer.from([0xff])), derInteger(Buffer.from([pathLength])))
  return [
    { oid: oids.basicConstraints, critical: true, value: constraints },
    // keyCertSign and cRLSign
    { oid: oids.keyUsage, critical: true, value: der(tags.bitString, Buffer.from([1, 0x06])) },
  ]
}

/** Extensions of an end entity with these extended key usages. */
export function leafExtensions(usages: readonly string[]): readonly ExtensionSpec[] {
  return [
    { oid: oids.basicConstraints, critical: true, value: der(tags.sequence) },
    { oid: oids.keyUsage, critical: true, value: der(tags.bitString, Buffer.from([7, 0x80])) },
    { oid: oids.extendedKeyUsage, value: der(tags.sequence, ...usages.map(derOid)) },
  ]
}

/** Subject alternative names for hosts and IP addresses. */
export function alternativeNames(hosts: readonly string[]): ExtensionSpec {
  const names = hosts.map((host) => {
    if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)))
    if (host === '::1') return der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]))
    return der(0x82, Buffer.from(host))
  })
  return { oid: oids.subjectAltName, value: der(tags.sequence, ...names) }
}

/** Builds and signs a certificate; returns its DER. */
export function createCertificate(spec: CertificateSpec): Buffer {
  const algorithm = spec.signingKey.asymmetricKeyType === 'rsa' ? SHA256_WITH_RSA : ECDSA_WITH_SHA256
  const subjectDer = nameDer(spec.subject)
  const issuerKey = spec.issuer?.publicKey ?? spec.publicKey
  const extensions: readonly ExtensionSpec[] = [
    ...spec.extensions,
    { oid: oids.subjectKeyId, value: der(tags.octetString, keyId(spec.publicKey)) },
    { oid: oids.authorityKeyId, value: der(tags.sequence, der(0x80, keyId(issuerKey))) },
  ]
  const body = der(
    tags.sequence,
    der(0xa0, derInteger(Buffer.from([2]))),
    derInteger(Buffer.concat([Buffer.from([0x40]), randomBytes(SERIAL_BYTES - 1)])),
    algorithm,
    spec.issuer?.subjectDer ?? subjectDer,
    der(tags.sequence, derTime(spec.notBeforeMs), derTime(spec.notAfterMs)),
    subjectDer,
    spec.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(tags.sequence, ...extensions.map(extensionDer))),
  )
  const signature = sign('sha256', body, spec.signingKey)
  return der(tags.sequence, body, algorithm, der(tags.bitString, Buffer.from([0]), signature))
}

/** A fresh key pair: RSA-2048 as Apple issues for passes, P-256 for web servers. */
export function createKeyPair(kind: 'rsa' | 'p256'): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** PEM of a DER certificate. */
export function certificatePem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** PKCS#8 PEM of a private key. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The parts of a certificate that node:crypto does not show. */
export interface CertificateParts {
  /** Subject attributes by object identifier (the last one wins). */
  readonly subject: ReadonlyMap<string, string>
  readonly subjectDer: Buffer
  readonly issuerDer: Buffer
  readonly serialDer: Buffer
  /** Extension values by object identifier. */
  readonly extensions: ReadonlyMap<string, Buffer>
  readonly publicKey: KeyObject
}

function readName(bytes: Buffer): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const rdn of childrenOf(readWholeDer(bytes), tags.sequence)) {
    for (const pair of childrenOf(rdn, tags.set)) {
      const [oid, value] = childrenOf(pair, tags.sequence)
      if (value) attributes.set(oidOf(oid), value.content.toString('utf8'))
    }
  }
  return attributes
}

function readExtensions(wrapper: Buffer | undefined): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>()
  if (!wrapper) return found
  for (const extension of childrenOf(readWholeDer(wrapper), tags.sequence)) {
    const parts = childrenOf(extension, tags.sequence)
    const value = parts.at(-1)
    if (value) found.set(oidOf(parts[0]), value.content)
  }
  return found
}

/** Reads the parts of a DER certificate. Throws DerError. */
export function readCertificate(bytes: Buffer): CertificateParts {
  const [body] = childrenOf(readWholeDer(bytes), tags.sequence)
  if (!body) throw new TypeError('empty certificate')
  const fields = childrenOf(body, tags.sequence)
  const [, serial, , issuer, , subject, spki] = fields
  if (!serial || !issuer || !subject || !spki) throw new TypeError('not a certificate of version 3')
  const wrapper = fields.find((field) => field.tag === 0xa3)
  return {
    subject: readName(subject.raw),
    subjectDer: subject.raw,
    issuerDer: issuer.raw,
    serialDer: serial.raw,
    extensions: readExtensions(wrapper?.content),
    publicKey: createPublicKey({ key: spki.raw, format: 'der', type: 'spki' }),
  }
}
