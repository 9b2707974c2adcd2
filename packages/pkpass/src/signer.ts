import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { checkLife, type PassCertificateInfo, parseCertificate, passCertificateInfo } from './certificate.ts'
import { signatureFrame, signedAttributes, signedMessage } from './cms.ts'
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

/** Runs in the thread pool: RSA is most of a signature's work and must not hold up the event loop. */
const signOffThread = promisify<string, Uint8Array, KeyObject, Buffer>(sign)

/** Checks certificate, chain and key against each other and makes a signer; throws PkpassError INVALID_CERTIFICATE. */
export async function createSigner(input: SignerInput, now: Date): Promise<Signer> {
  const leaf = parseCertificate(input.certPem, 'certPem')
  const wwdr = parseCertificate(input.wwdrPem, 'wwdrPem')
  const info = passCertificateInfo(leaf)
  checkOwner(info, input)
  checkLife(info, now)
  if (now < wwdr.notBefore.value || now > wwdr.notAfter.value) refuse('wwdrPem', 'is not valid at present')
  const [native, nativeWwdr] = [new X509Certificate(input.certPem), new X509Certificate(input.wwdrPem)]
  checkChain(native, nativeWwdr)
  const key = readKey(input.keyPem, native)
  const frame = signatureFrame({
    issuer: new Uint8Array(leaf.issuer.toSchema().toBER()),
    serialNumber: new Uint8Array(leaf.serialNumber.toBER()),
    certificates: [native.raw, nativeWwdr.raw],
    signatureBytes: modulusBytes(key),
  })
  return {
    ...info,
    fingerprint: native.fingerprint256.replaceAll(':', '').toLowerCase(),
    async sign(manifest, signingTime) {
      checkLife(info, signingTime)
      const attributes = signedAttributes(frame, manifest, signingTime)
      return signedMessage(frame, attributes, await signOffThread('sha256', attributes, key))
    },
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

function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}
