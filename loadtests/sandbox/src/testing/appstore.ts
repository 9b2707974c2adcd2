import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { request } from 'node:https'
import type { AppStoreKey } from '../appstore/keys.ts'
import { createKeyPair } from '../crypto/certificate.ts'
import { der, derInteger, derOid, tags } from '../crypto/der.ts'

/** An answer of App Store Connect. */
export interface AppStoreReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

/** A token of a key, with changes to its header and claims. */
export function appStoreToken(key: AppStoreKey, claims: object = {}, header: object = {}): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const body = { iss: key.issuerId, iat, exp: iat + 600, aud: 'appstoreconnect-v1', ...claims }
  const signed = `${encode({ alg: 'ES256', kid: key.keyId, typ: 'JWT', ...header })}.${encode(body)}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKeyPem, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** One call, over a connection of its own. */
export function callAppStore(
  server: { readonly appStorePort: number; readonly authority: { readonly webRootPem: string } },
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<AppStoreReply> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const options = { method, headers, ca: server.authority.webRootPem, agent: false }
    const outgoing = request(new URL(path, `https://localhost:${server.appStorePort}`), options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        const parsed = (text === '' ? {} : JSON.parse(text)) as AppStoreReply['body']
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body && JSON.stringify(body))
  })
}

/** Base64 of a certificate signing request for a key, signed by itself or by `signer`. */
export function testCsr(
  key: { publicKey: KeyObject; privateKey: KeyObject } = createKeyPair('rsa'),
  signer = key,
): string {
  const rsa = key.publicKey.asymmetricKeyType === 'rsa'
  const algorithm = rsa
    ? der(tags.sequence, derOid('1.2.840.113549.1.1.11'), der(tags.null))
    : der(tags.sequence, derOid('1.2.840.10045.4.3.2'))
  const spki = key.publicKey.export({ type: 'spki', format: 'der' })
  const body = der(tags.sequence, derInteger(Buffer.from([0])), der(tags.sequence), spki, der(0xa0))
  const signature = der(tags.bitString, Buffer.from([0]), sign('sha256', body, signer.privateKey))
  return der(tags.sequence, body, algorithm, signature).toString('base64')
}

/** An RSA key pair of a size that Apple does not take. */
export function shortKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('rsa', { modulusLength: 1024 })
}
