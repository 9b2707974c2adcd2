import { hash } from 'node:crypto'
import { der, derOid, derSetOf, derTag, utcTimeText } from './der.ts'

/** What never changes between two signatures of one certificate, in DER. */
export interface SignatureIdentity {
  /** Name of the issuer and serial number of the signing certificate, each a DER value. */
  readonly issuer: Uint8Array
  readonly serialNumber: Uint8Array
  /** The certificates that travel along. */
  readonly certificates: readonly Uint8Array[]
  /** Length of an RSA signature: that of the modulus. */
  readonly signatureBytes: number
}

/** A whole signature with gaps: all lengths are known beforehand, so a signature is one copy and three values set. */
export interface SignatureFrame {
  /** The signed attributes as the SET that the key signs; time and digest are gaps. */
  readonly attributes: Buffer
  readonly timeAt: number
  readonly digestAt: number
  /** The ContentInfo; attributes and signature are gaps. */
  readonly message: Buffer
  readonly attributesAt: number
  readonly signatureAt: number
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
const sha256Bytes = 32
const utcTimeChars = 13

/** A ContentInfo with one SignedData without content (RFC 5652, section 5), as Wallet demands it. */
export function signatureFrame(identity: SignatureIdentity): SignatureFrame {
  const timeAttribute = attribute(oid.signingTime, der(derTag.utcTime, Buffer.alloc(utcTimeChars)))
  const digestAttribute = attribute(oid.messageDigest, der(derTag.octetString, Buffer.alloc(sha256Bytes)))
  // DER sorts a SET OF by its encodings; these three differ in their second byte, the length, so no value moves them.
  const content = derSetOf([attribute(oid.contentType, oid.data), timeAttribute, digestAttribute])
  const attributes = der(derTag.set, content)
  const signatureValue = der(derTag.octetString, Buffer.alloc(identity.signatureBytes))
  const signerInfo = der(
    derTag.sequence,
    version1,
    der(derTag.sequence, identity.issuer, identity.serialNumber),
    sha256,
    // What is signed has the tag of a SET, what is stored the context's (RFC 5652, section 5.4).
    der(derTag.context0, content),
    sha256WithRsa,
    signatureValue,
  )
  const signedData = der(
    derTag.sequence,
    version1,
    der(derTag.set, sha256),
    der(derTag.sequence, oid.data),
    der(derTag.context0, derSetOf(identity.certificates)),
    der(derTag.set, signerInfo),
  )
  const message = der(derTag.sequence, oid.signedData, der(derTag.context0, signedData))
  return {
    attributes,
    timeAt: attributes.length - digestAttribute.length - utcTimeChars,
    digestAt: attributes.length - sha256Bytes,
    message,
    attributesAt: message.length - signatureValue.length - sha256WithRsa.length - content.length,
    signatureAt: message.length - identity.signatureBytes,
  }
}

function attribute(type: Buffer, value: Buffer): Buffer {
  return der(derTag.sequence, type, der(derTag.set, value))
}

/** The bytes that the key signs for a content. Throws RangeError for years beyond UTCTime. */
export function signedAttributes(frame: SignatureFrame, content: Uint8Array, signingTime: Date): Buffer {
  const attributes = Buffer.from(frame.attributes)
  attributes.write(utcTimeText(signingTime), frame.timeAt, 'latin1')
  // As text: a Buffer of its own would take longer to make than the digest.
  attributes.write(hash('sha256', content, 'binary'), frame.digestAt, 'latin1')
  return attributes
}

/** The finished message out of the attributes and the signature over them. */
export function signedMessage(frame: SignatureFrame, attributes: Buffer, signature: Uint8Array): Buffer {
  const message = Buffer.from(frame.message)
  // Without the two bytes of tag and length, which differ from the stored ones.
  message.set(attributes.subarray(2), frame.attributesAt)
  message.set(signature, frame.signatureAt)
  return message
}
