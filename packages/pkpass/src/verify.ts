import { createHash, verify as verifyBytes, X509Certificate } from 'node:crypto'
import { Certificate, ContentInfo, IssuerAndSerialNumber, SignedData, type SignerInfo } from 'pkijs'
import { passCertificateInfo } from './certificate.ts'
import { PkpassError } from './errors.ts'
import { type ReadPass, readPass } from './read.ts'

/** How far a signing time may lie in the future, in milliseconds: clocks differ. */
export const SIGNING_TIME_SKEW_MS = 5 * 60_000

const oid = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  sha256: '2.16.840.1.101.3.4.2.1',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
}

/** A bundle whose manifest, signature and chain hold. */
export interface VerifiedPass extends ReadPass {
  readonly signingTime: Date
}

/** Checks a whole bundle as a phone would; throws PkpassError with the first reason to refuse it. */
export function verifyPass(bytes: Uint8Array, trustedRootPem: string, now: Date): VerifiedPass {
  const read = readPass(bytes)
  const signed = parseSignedData(read.signature)
  const signer = onlySigner(signed)
  const [leaf, issuer] = findChain(signed, signer)
  const signingTime = checkAttributes(signer, read.manifest, now)
  checkSignature(signer, leaf)
  checkChain(leaf, issuer, new X509Certificate(trustedRootPem), signingTime)
  checkOwner(read, leaf)
  return { ...read, signingTime }
}

function refuse(message: string, cause?: unknown): never {
  throw new PkpassError('INVALID_SIGNATURE', 'signature', message, { cause })
}

function parseSignedData(der: Uint8Array): SignedData {
  try {
    const content = ContentInfo.fromBER(new Uint8Array(der))
    if (content.contentType !== oid.signedData) refuse('is not SignedData')
    return new SignedData({ schema: content.content })
  } catch (cause) {
    return refuse('is not readable CMS', cause)
  }
}

function onlySigner(signed: SignedData): SignerInfo {
  if (signed.encapContentInfo.eContentType !== oid.data) refuse('does not sign plain data')
  if (signed.encapContentInfo.eContent !== undefined) refuse('is not detached')
  const [signer, second] = signed.signerInfos
  if (signer === undefined || second !== undefined) refuse('must have exactly one signer')
  if (signer.digestAlgorithm.algorithmId !== oid.sha256) refuse('does not use SHA-256')
  return signer
}

function findChain(signed: SignedData, signer: SignerInfo): readonly [Certificate, Certificate] {
  const sid: unknown = signer.sid
  if (!(sid instanceof IssuerAndSerialNumber)) refuse('does not name its signer by issuer and serial number')
  const certificates = (signed.certificates ?? []).filter((item) => item instanceof Certificate)
  if (certificates.length !== 2) refuse('must carry the signing and the intermediate certificate')
  const leaf = certificates.find(
    (item) => item.serialNumber.isEqual(sid.serialNumber) && item.issuer.isEqual(sid.issuer),
  )
  const issuer = certificates.find((item) => item !== leaf)
  if (leaf === undefined || issuer === undefined) refuse('does not carry the certificate of its signer')
  return [leaf, issuer]
}

function checkAttributes(signer: SignerInfo, manifest: Uint8Array, now: Date): Date {
  const attributes = new Map(signer.signedAttrs?.attributes.map((item) => [item.type, item.values[0]]))
  if (attributes.get(oid.contentType)?.valueBlock.toString() !== oid.data) refuse('has no content type')
  const digest: unknown = attributes.get(oid.messageDigest)?.valueBlock.valueHexView
  const expected = createHash('sha256').update(manifest).digest()
  if (!(digest instanceof Uint8Array) || !expected.equals(digest)) refuse('does not belong to the manifest')
  const signingTime: unknown = attributes.get(oid.signingTime)?.toDate?.()
  if (!(signingTime instanceof Date)) refuse('has no signing time')
  if (signingTime.getTime() > now.getTime() + SIGNING_TIME_SKEW_MS) refuse('was made in the future')
  return signingTime
}

function checkSignature(signer: SignerInfo, leaf: Certificate): void {
  const attributes = signer.signedAttrs?.encodedValue
  if (attributes === undefined) refuse('has no signed attributes')
  // The signature covers a SET OF; inside the message its tag is the implicit [0].
  const covered = Buffer.from(attributes.slice(0))
  covered[0] = 0x31
  const key = native(leaf).publicKey
  if (!verifyBytes('sha256', covered, key, signer.signature.valueBlock.valueHexView)) refuse('does not verify')
}

function native(certificate: Certificate): X509Certificate {
  return new X509Certificate(Buffer.from(certificate.toSchema().toBER()))
}

function checkChain(leaf: Certificate, issuer: Certificate, root: X509Certificate, at: Date): void {
  const [child, parent] = [native(leaf), native(issuer)]
  if (!parent.ca || !child.checkIssued(parent) || !child.verify(parent.publicKey)) refuse('has a broken chain')
  if (!root.ca || !parent.checkIssued(root) || !parent.verify(root.publicKey))
    refuse('does not lead to the trusted root')
  // Validity counts at the time of signing: a pass outlives its certificate.
  for (const item of [leaf, issuer]) {
    if (at < item.notBefore.value || at > item.notAfter.value) refuse('was made outside the certificate’s life')
  }
}

function checkOwner(read: ReadPass, leaf: Certificate): void {
  const info = passCertificateInfo(leaf)
  if (info.passTypeIdentifier !== read.pass.passTypeIdentifier) refuse('belongs to another pass type')
  if (info.teamIdentifier !== read.pass.teamIdentifier) refuse('belongs to another team')
  if (read.pass.nfc !== undefined && !info.nfc) refuse('was made without an NFC certificate')
}
