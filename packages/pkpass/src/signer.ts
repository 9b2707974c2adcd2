import { createHash, createPrivateKey, type webcrypto, X509Certificate } from 'node:crypto'
import { Integer, ObjectIdentifier, OctetString, UTCTime } from 'asn1js'
import {
  Attribute,
  type Certificate,
  ContentInfo,
  CryptoEngine,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs'
import { type PassCertificateInfo, parseCertificate, passCertificateInfo } from './certificate.ts'
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

const oid = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
}
const engine = new CryptoEngine({ name: 'node', crypto: globalThis.crypto, subtle: globalThis.crypto.subtle })

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
  const key = await importKey(input.keyPem, native)
  return {
    ...info,
    fingerprint: native.fingerprint256.replaceAll(':', '').toLowerCase(),
    sign: (manifest, signingTime) => signManifest({ leaf, wwdr, key, info }, manifest, signingTime),
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

async function importKey(keyPem: string, leaf: X509Certificate): Promise<webcrypto.CryptoKey> {
  let key: ReturnType<typeof createPrivateKey>
  try {
    key = createPrivateKey(keyPem)
  } catch (cause) {
    throw new PkpassError('INVALID_CERTIFICATE', 'keyPem', 'is not a readable private key', { cause })
  }
  if (key.asymmetricKeyType !== 'rsa') refuse('keyPem', 'must be an RSA key')
  if (!leaf.checkPrivateKey(key)) refuse('keyPem', 'does not belong to the certificate')
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  return await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, ['sign'])
}

interface Material {
  readonly leaf: Certificate
  readonly wwdr: Certificate
  readonly key: webcrypto.CryptoKey
  readonly info: PassCertificateInfo
}

async function signManifest(material: Material, manifest: Uint8Array, signingTime: Date): Promise<Uint8Array> {
  // A signature outside the certificate's life never verifies: refuse before the phone does.
  if (signingTime < material.info.notBefore || signingTime > material.info.notAfter) {
    refuse('certificate.validity', 'does not cover the signing time')
  }
  const signed = new SignedData({
    version: 1,
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: oid.data }),
    certificates: [material.leaf, material.wwdr],
    signerInfos: [
      new SignerInfo({
        version: 1,
        sid: new IssuerAndSerialNumber({
          issuer: material.leaf.issuer,
          serialNumber: new Integer({ valueHex: material.leaf.serialNumber.valueBlock.valueHexView.slice() }),
        }),
        signedAttrs: new SignedAndUnsignedAttributes({ type: 0, attributes: signedAttributes(manifest, signingTime) }),
      }),
    ],
  })
  await signed.sign(material.key, 0, 'SHA-256', undefined, engine)
  const content = new ContentInfo({ contentType: oid.signedData, content: signed.toSchema(true) })
  return new Uint8Array(content.toSchema().toBER())
}

// The signature covers a DER SET OF, which is sorted by encoded bytes.
function signedAttributes(manifest: Uint8Array, signingTime: Date): Attribute[] {
  const digest = createHash('sha256').update(manifest).digest()
  const attributes = [
    new Attribute({ type: oid.contentType, values: [new ObjectIdentifier({ value: oid.data })] }),
    new Attribute({ type: oid.signingTime, values: [new UTCTime({ valueDate: signingTime })] }),
    new Attribute({ type: oid.messageDigest, values: [new OctetString({ valueHex: new Uint8Array(digest) })] }),
  ]
  return attributes
    .map((attribute) => ({ attribute, der: Buffer.from(attribute.toSchema().toBER()) }))
    .sort((left, right) => Buffer.compare(left.der, right.der))
    .map((item) => item.attribute)
}
