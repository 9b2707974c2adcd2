import { createHash, createPublicKey, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import {
  BitString,
  Constructed,
  fromBER,
  Integer,
  Null,
  ObjectIdentifier,
  Sequence,
  Set as SetOf,
  Utf8String,
} from 'asn1js'

/** Apple documents RSA-2048 for passes; whether it takes others is not known. */
const KEY_BITS = 2048
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11'
const COMMON_NAME = '2.5.4.3'
/** Tag class of context-specific elements, in asn1js's numbers. */
const CONTEXT_CLASS = 3
const LINE = /.{1,64}/g

const generate = promisify(generateKeyPair)

/** A new private key, PKCS#8 PEM. Made in the thread pool: it takes a tenth of a second and more. */
export async function generateKeyPem(): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: KEY_BITS })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** SHA-256 (base64) of the public half of a private key or of a certificate's key: how the two are matched. */
export function publicKeyHash(pem: string): string {
  return createHash('sha256')
    .update(createPublicKey(pem).export({ type: 'spki', format: 'der' }))
    .digest('base64')
}

/**
 * DER of a certificate signing request: the same bytes for the same key each time, so that a request handed out for
 * manual use does not change. Apple writes the subject of its certificates itself.
 */
export function createCsr(keyPem: string, commonName: string): Buffer {
  const spki = createPublicKey(keyPem).export({ type: 'spki', format: 'der' })
  const attribute = [new ObjectIdentifier({ value: COMMON_NAME }), new Utf8String({ value: commonName })]
  const subject = new Sequence({ value: [new SetOf({ value: [new Sequence({ value: attribute })] })] })
  const noAttributes = new Constructed({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber: 0 }, value: [] })
  const info = new Sequence({
    value: [new Integer({ value: 0 }), subject, fromBER(new Uint8Array(spki)).result, noAttributes],
  })
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: SHA256_WITH_RSA }), new Null()] })
  const signature = sign('sha256', new Uint8Array(info.toBER()), keyPem)
  const proof = new BitString({ valueHex: new Uint8Array(signature).buffer })
  return Buffer.from(new Sequence({ value: [info, algorithm, proof] }).toBER())
}

/** PEM of a DER structure. */
export function pemOf(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', der: Buffer): string {
  const lines = der.toString('base64').match(LINE) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
