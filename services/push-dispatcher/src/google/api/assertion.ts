import { sign } from 'node:crypto'
import type { GoogleCredential } from '@stampede/platform'

/** The one scope of Google Wallet. */
const SCOPE = 'https://www.googleapis.com/auth/wallet_object.issuer'
/** Longest life of an assertion that Google takes, in seconds. */
export const ASSERTION_SECONDS = 3_600

/** The signed statement (RS256 JWT) that a service account trades for an access token; `iat` in Unix seconds. */
export function assertionOf({ clientEmail, privateKeyPem }: GoogleCredential, audience: string, iat: number): string {
  const claims = { iss: clientEmail, scope: SCOPE, aud: audience, iat, exp: iat + ASSERTION_SECONDS }
  const unsigned = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), privateKeyPem).toString('base64url')}`
}
