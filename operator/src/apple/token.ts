import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '@stampede/platform'

/** A team's API key. */
export interface ApiKey {
  /** UUID. */
  readonly issuerId: string
  readonly keyId: string
  /** PKCS#8 PEM, P-256. */
  readonly privateKeyPem: string
}

/** Apple refuses tokens that live longer than 20 minutes; clocks differ. */
const LIFE_SECONDS = 15 * 60
/** Issued a minute ago, for servers whose clock is behind. */
const BACKDATED_SECONDS = 60
/** A token is made anew when it has less left than this. */
const LEFT_SECONDS_MIN = 120
const AUDIENCE = 'appstoreconnect-v1'

/** Makes tokens of one key, each used for some 13 minutes. Throws TypeError for what is no P-256 key. */
export function createTokenSource(key: ApiKey, clock: Clock): () => string {
  const privateKey = readKey(key.privateKeyPem)
  let token = ''
  let expiresSeconds = 0
  return () => {
    const nowSeconds = Math.floor(clock.nowMs() / 1000)
    if (expiresSeconds - nowSeconds >= LEFT_SECONDS_MIN) return token
    const iat = nowSeconds - BACKDATED_SECONDS
    expiresSeconds = iat + BACKDATED_SECONDS + LIFE_SECONDS
    token = signToken(
      { alg: 'ES256', kid: key.keyId, typ: 'JWT' },
      { iss: key.issuerId, iat, exp: expiresSeconds, aud: AUDIENCE },
      privateKey,
    )
    return token
  }
}

function readKey(pem: string): KeyObject {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError('is not a P-256 key')
  return key
}

/** A signed JWT: ES256 for an elliptic key, RS256 for RSA. */
export function signToken(header: object, claims: object, key: KeyObject): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
