import { constants, createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import type { Certificate } from 'pkijs'
import { type PassCertificateInfo, parseCertificate, passCertificateInfo } from './certificate.ts'
import { der, derOid, derSetOf, derTag, derUtcTime } from './der.ts'
import { PkpassError } from './errors.ts'

/** Signs manifests for one pass type. Implementations must be safe to call concurrently. */
export interface Signer extends PassCertificateInfo {
  /** SHA-256 of the leaf certificate, lowercase hex. */
  readonly fingerprint: string
  /** A detached CMS SignedData in DER over the exact bytes of the manifest. */
  sign(manifest: Uint8Array, signingTime: Date): Promise<Uint8Array>
}

/** What a signer is made of; PEM texts. */
export interface SignerInput {
  readonly certPem: string
  readonly wwdrPem: string
  readonly keyPem: string
  /** What the passes will say; a certificate of another brand is refused. */
  readonly passTypeIdentifier: string
  readonly teamIdentifier: string
}

const derNull = der(derTag.null)
const oid = {
  data: derOid('1.2.840.113549.1.7.1'),
  signedData: derOid('1.2.840.113549.1.7.2'),
  contentType: derOid('1.2.840.113549.1.9.3'),
  messageDigest: derOid('1.2.840.113549.1.9.4'),
  signingTime: derOid('1.2.840.113549.1.9.5'),
}
const version1 = der(derTag.integer, Buffer.from([1]))
const sha256 = der(derTag.sequence, derOid('2.16.840.1.101.3.4.2.1'), derNull)
const sha256WithRsa = der(derTag.sequence, derOid('1.2.840.113549.1.1.11'), derNull)
const contentTypeAttribute = attribute(oid.contentType, oid.data)

/** Runs in the thread pool: RSA is most of a signature's work and must not hold up the event loop. */
const signOffThread = promisify<string, Uint8Array, Parameters<typeof sign>[2], Buffer>(sign)

/** Checks certificate, chain and key against each other and makes a signer; throws PkpassError INVALID_CERTIFICATE. */
export async function createSigner(input: SignerInput, now: Date): Promise<Signer> {
  const leaf = parseCertificate(input.certPem, 'certPem')
  const wwdr = parseCertificate(input.wwdrPem, 'wwdrPem')
  const info = passCertificateInfo(leaf)
  checkOwner(info, input)
  if (now < info.notBefore || now > info.notAfter) refuse('certificate.validity', 'does not cover the present')
  if (now > wwdr.notAfter.value) refuse('wwdrPem', 'has expired')
  const native = new X509Certificate(input.certPem)
  checkChain(native, new X509Certificate(input.wwdrPem))
  const material = {
    ...fixedParts(leaf, native, new X509Certificate(input.wwdrPem)),
    key: readKey(input.keyPem, native),
    info,
  }
  return {
    ...info,
    fingerprint: native.fingerprint256.replaceAll(':', '').toLowerCase(),
    sign: (manifest, signingTime) => signManifest(material, manifest, signingTime),
  }
}

function refuse(path: string, message: string): never {
  throw new PkpassError('INVALID_CERTIFICATE', path, message)
}

function checkOwner(info: PassCertificateInfo, input: SignerInput): void {
  if (info.passTypeIdentifier !== input.passTypeIdentifier) {
    refuse('certificate.subject.UID', `is ${info.passTypeIdentifier}, not ${input.passTypeIdentifier}`)
  }
  if (info.teamIdentifier !== input.teamIdentifier) {
    refuse('certificate.subject.OU', `is ${info.teamIdentifier}, not ${input.teamIdentifier}`)
  }
}

function checkChain(leaf: X509Certificate, wwdr: X509Certificate): void {
  if (!wwdr.ca) refuse('wwdrPem', 'is not a certificate authority')
  if (!leaf.checkIssued(wwdr) || !leaf.verify(wwdr.publicKey)) refuse('wwdrPem', 'did not issue the certificate')
}

function readKey(keyPem: string, leaf: X509Certificate): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(keyPem)
  } catch (cause) {
    throw new PkpassError('INVALID_CERTIFICATE', 'keyPem', 'is not a readable private key', { cause })
  }
  if (key.asymmetricKeyType !== 'rsa') refuse('keyPem', 'must be an RSA key')
  if (!leaf.checkPrivateKey(key)) refuse('keyPem', 'does not belong to the certificate')
  return key
}

/** The parts of a signature that are the same for every manifest, already encoded. */
interface FixedParts {
  /** From the version up to the certificates. */
  readonly head: Buffer
  /** IssuerAndSerialNumber of the leaf. */
  readonly signerId: Buffer
}

interface Material extends FixedParts {
  readonly key: KeyObject
  readonly info: PassCertificateInfo
}

function fixedParts(leaf: Certificate, native: X509Certificate, wwdr: X509Certificate): FixedParts {
  const certificates = der(derTag.context0, derSetOf([native.raw, wwdr.raw]))
  return {
    head: Buffer.concat([version1, der(derTag.set, sha256), der(derTag.sequence, oid.data), certificates]),
    signerId: der(
      derTag.sequence,
      new Uint8Array(leaf.issuer.toSchema().toBER()),
      new Uint8Array(leaf.serialNumber.toBER()),
    ),
  }
}

/** A ContentInfo with one SignedData without content (RFC 5652), as Wallet demands it. */
async function signManifest(material: Material, manifest: Uint8Array, signingTime: Date): Promise<Uint8Array> {
  // A signature outside the certificate's life never verifies: refuse before the phone does.
  if (signingTime < material.info.notBefore || signingTime > material.info.notAfter) {
    refuse('certificate.validity', 'does not cover the signing time')
  }
  const attributes = signedAttributes(manifest, signingTime)
  // What is signed has the tag of a SET, what is stored the context's.
  const key = { key: material.key, padding: constants.RSA_PKCS1_PADDING }
  const signature = await signOffThread('sha256', der(derTag.set, attributes), key)
  const signerInfo = der(
    derTag.sequence,
    version1,
    material.signerId,
    sha256,
    der(derTag.context0, attributes),
    sha256WithRsa,
    der(derTag.octetString, signature),
  )
  const signedData = der(derTag.sequence, material.head, der(derTag.set, signerInfo))
  return der(derTag.sequence, oid.signedData, der(derTag.context0, signedData))
}

function signedAttributes(manifest: Uint8Array, signingTime: Date): Buffer {
  const digest = createHash('sha256').update(manifest).digest()
  return derSetOf([
    contentTypeAttribute,
    attribute(oid.signingTime, derUtcTime(signingTime)),
    attribute(oid.messageDigest, der(derTag.octetString, digest)),
  ])
}

function attribute(type: Buffer, value: Buffer): Buffer {
  return der(derTag.sequence, type, der(derTag.set, value))
}
