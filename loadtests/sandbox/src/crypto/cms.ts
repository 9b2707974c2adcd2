import { createHash, timingSafeEqual, verify } from 'node:crypto'
import { type CertificateParts, readCertificate } from './certificate.ts'
import { childrenOf, DerError, type DerNode, der, oidOf, readWholeDer, tags, timeOf } from './der.ts'

/** Result of checking a detached signature; the chain above the signer is judged by the caller. */
export type CmsResult =
  | {
      readonly ok: true
      /** DER of the certificate whose key signed. */
      readonly signer: Buffer
      readonly signerParts: CertificateParts
      /** DER of the other certificate. */
      readonly intermediate: Buffer
      readonly signedAtMs: number
    }
  | { readonly ok: false; readonly reason: string }

const SIGNED_DATA = '1.2.840.113549.1.7.2'
const ID_DATA = '1.2.840.113549.1.7.1'
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SIGNING_TIME = '1.2.840.113549.1.9.5'

/** Digests that Wallet has been seen to accept. */
const DIGESTS: Readonly<Record<string, string>> = { '2.16.840.1.101.3.4.2.1': 'sha256', '1.3.14.3.2.26': 'sha1' }

/** Signature algorithms by digest: with and without the digest in the name, RSA and ECDSA. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  sha256: ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.11', '1.2.840.10045.4.3.2'],
  sha1: ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.5'],
}

/** Certificates whose parts are remembered: every pass of a brand carries the same two. */
const CERTIFICATES_MAX = 2000
const certificateParts = new Map<string, CertificateParts>()

function partsOf(bytes: Buffer): CertificateParts {
  const key = bytes.toString('latin1')
  const known = certificateParts.get(key)
  if (known) return known
  const parts = readCertificate(Buffer.from(bytes))
  if (certificateParts.size >= CERTIFICATES_MAX) certificateParts.clear()
  certificateParts.set(key, parts)
  return parts
}

class Refused extends Error {}

function need<T>(value: T | undefined, reason: string): T {
  if (value === undefined) throw new Refused(reason)
  return value
}

function isVersionOne(node: DerNode | undefined): boolean {
  return node?.tag === tags.integer && node.content.length === 1 && node.content[0] === 1
}

function digestName(algorithm: DerNode | undefined): string {
  const oid = oidOf(childrenOf(need(algorithm, 'digest algorithm is absent'), tags.sequence)[0])
  return need(DIGESTS[oid], `digest algorithm ${oid} is not accepted`)
}

function readAttributes(signedAttributes: DerNode): ReadonlyMap<string, DerNode> {
  const found = new Map<string, DerNode>()
  let previous: Buffer | undefined
  for (const attribute of childrenOf(signedAttributes)) {
    if (previous && Buffer.compare(previous, attribute.raw) > 0)
      throw new Refused('signed attributes are not sorted as DER asks')
    previous = attribute.raw
    const [oidNode, values] = childrenOf(attribute, tags.sequence)
    const oid = oidOf(oidNode)
    if (found.has(oid)) throw new Refused(`signed attribute ${oid} is there twice`)
    found.set(oid, need(childrenOf(need(values, 'empty attribute'), tags.set)[0], 'empty attribute'))
  }
  return found
}

function checkAttributes(attributes: ReadonlyMap<string, DerNode>, content: Buffer, digest: string): number {
  if (oidOf(need(attributes.get(CONTENT_TYPE), 'no content type attribute')) !== ID_DATA) {
    throw new Refused('content type attribute is not data')
  }
  const stated = need(attributes.get(MESSAGE_DIGEST), 'no message digest attribute').content
  const actual = createHash(digest).update(content).digest()
  if (stated.length !== actual.length || !timingSafeEqual(stated, actual)) {
    throw new Refused('message digest differs from the manifest')
  }
  return timeOf(need(attributes.get(SIGNING_TIME), 'no signing time attribute'))
}

interface SignedData {
  readonly certificates: readonly Buffer[]
  readonly signerInfo: readonly DerNode[]
}

function readSignedData(signature: Buffer): SignedData {
  const [type, wrapper] = childrenOf(readWholeDer(signature), tags.sequence)
  if (oidOf(type) !== SIGNED_DATA) throw new Refused('not CMS signed data')
  const [body] = childrenOf(need(wrapper, 'no content'), 0xa0)
  const fields = childrenOf(need(body, 'no content'), tags.sequence)
  const [version, digests, encapsulated] = fields
  if (!isVersionOne(version)) throw new Refused('signed data is not version 1')
  if (childrenOf(need(digests, 'no digests'), tags.set).length !== 1)
    throw new Refused('not exactly one digest algorithm')
  const content = childrenOf(need(encapsulated, 'no content info'), tags.sequence)
  if (oidOf(content[0]) !== ID_DATA) throw new Refused('content is not of type data')
  if (content.length !== 1) throw new Refused('signature is not detached')
  const certificates = childrenOf(
    need(
      fields.find(({ tag }) => tag === 0xa0),
      'no certificates',
    ),
  )
  const signers = childrenOf(need(fields.at(-1), 'no signer'), tags.set)
  if (signers.length !== 1) throw new Refused('not exactly one signer')
  return {
    certificates: certificates.map(({ raw }) => raw),
    signerInfo: childrenOf(need(signers[0], 'no signer'), tags.sequence),
  }
}

function check(signature: Buffer, content: Buffer): CmsResult {
  const { certificates, signerInfo } = readSignedData(signature)
  if (certificates.length !== 2) throw new Refused(`${certificates.length} certificates instead of leaf and WWDR`)
  const [version, identity, digestAlgorithm, signedAttributes, signatureAlgorithm, value] = signerInfo
  if (!isVersionOne(version)) throw new Refused('signer is not identified by issuer and serial number')
  const digest = digestName(digestAlgorithm)
  if (signedAttributes?.tag !== 0xa0) throw new Refused('no signed attributes')
  const signedAtMs = checkAttributes(readAttributes(signedAttributes), content, digest)
  const algorithm = oidOf(childrenOf(need(signatureAlgorithm, 'no signature algorithm'), tags.sequence)[0])
  if (!SIGNATURES[digest]?.includes(algorithm)) throw new Refused(`signature algorithm ${algorithm} is not accepted`)
  const [issuer, serial] = childrenOf(need(identity, 'no signer identity'), tags.sequence)
  const parts = certificates.map((bytes) => ({ bytes, parts: partsOf(bytes) }))
  const signer = need(
    parts.find(({ parts: { issuerDer, serialDer } }) => issuer?.raw.equals(issuerDer) && serial?.raw.equals(serialDer)),
    'the signer is not among the certificates',
  )
  const intermediate = need(
    parts.find((other) => other !== signer),
    'no intermediate',
  )
  // What is signed is the SET OF encoding, although the bytes are stored under an implicit tag.
  const signedBytes = der(tags.set, signedAttributes.content)
  const signatureBytes = need(value?.tag === tags.octetString ? value.content : undefined, 'no signature value')
  if (!verify(digest, signedBytes, signer.parts.publicKey, signatureBytes))
    throw new Refused('signature does not verify')
  return { ok: true, signer: signer.bytes, signerParts: signer.parts, intermediate: intermediate.bytes, signedAtMs }
}

/** Checks a detached CMS signature over `content` in the one shape that Wallet passes have. */
export function verifyDetached(signature: Buffer, content: Buffer): CmsResult {
  try {
    return check(signature, content)
  } catch (error) {
    if (error instanceof Refused || error instanceof DerError || error instanceof TypeError) {
      return { ok: false, reason: `signature: ${error.message}` }
    }
    return { ok: false, reason: `signature: unreadable (${error instanceof Error ? error.message : String(error)})` }
  }
}
