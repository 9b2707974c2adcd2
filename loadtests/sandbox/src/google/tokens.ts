import { createHmac, randomBytes, timingSafeEqual, verify } from 'node:crypto'
import type { RegisteredAccount } from '../google-account.ts'
import { isObject } from '../pass/check-json.ts'
import { type GoogleProblem, problem } from './problem.ts'

/** The one scope of the Wallet API. */
export const WALLET_SCOPE = 'https://www.googleapis.com/auth/wallet_object.issuer'
/** Life of an access token and longest life of an assertion, seconds. */
export const TOKEN_LIFE_SECONDS = 3600
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const SKEW_SECONDS = 300
const SAVE_TOKEN_CHARS_MAX = 1800

type Claims = Readonly<Record<string, unknown>>
type Lookup = (clientEmail: string) => RegisteredAccount | undefined

/** Result of reading a signed token. */
export type JwtResult =
  | { readonly ok: true; readonly claims: Claims; readonly account: RegisteredAccount }
  | { readonly ok: false; readonly problem: GoogleProblem }

function refused(reason: string, message: string, status = 400): { ok: false; problem: GoogleProblem } {
  return { ok: false, problem: problem(status, reason, message) }
}

function decode(part: string | undefined): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Verifies an RS256 token of a registered account. */
export function readJwt(token: string, lookup: Lookup): JwtResult {
  const parts = token.split('.')
  const [header, claims] = [decode(parts[0]), decode(parts[1])]
  if (parts.length !== 3 || !header || !claims) return refused('invalid_grant', 'Invalid JWT')
  if (header['alg'] !== 'RS256') return refused('invalid_grant', 'Invalid JWT: alg must be RS256')
  const account = typeof claims['iss'] === 'string' ? lookup(claims['iss']) : undefined
  if (!account) return refused('invalid_grant', 'Invalid grant: account not found')
  const signature = Buffer.from(parts[2] ?? '', 'base64url')
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`)
  if (!verify('sha256', signed, account.publicKeyPem, signature))
    return refused('invalid_grant', 'Invalid JWT Signature.')
  return { ok: true, claims, account }
}

/** Checks the form of a token request; returns the account that it proves. */
export function checkTokenRequest(
  form: URLSearchParams,
  audiences: ReadonlySet<string>,
  lookup: Lookup,
  nowSeconds: number,
): JwtResult {
  if (form.get('grant_type') !== GRANT_TYPE) return refused('unsupported_grant_type', 'Invalid grant_type')
  const read = readJwt(form.get('assertion') ?? '', lookup)
  if (!read.ok) return read
  const { scope, aud, iat, exp } = read.claims
  if (typeof aud !== 'string' || !audiences.has(aud)) return refused('invalid_grant', 'Invalid JWT: audience')
  if (typeof iat !== 'number' || typeof exp !== 'number')
    return refused('invalid_grant', 'Invalid JWT: iat and exp are required')
  if (exp - iat > TOKEN_LIFE_SECONDS)
    return refused('invalid_grant', 'Invalid JWT: must be a short-lived token (60 minutes)')
  if (iat > nowSeconds + SKEW_SECONDS || exp <= nowSeconds) {
    return refused('invalid_grant', 'Invalid JWT: not in a reasonable timeframe')
  }
  if (typeof scope !== 'string' || !scope.split(' ').includes(WALLET_SCOPE))
    return refused('invalid_scope', 'Invalid scope')
  return read
}

/** Checks a save link's token. */
export function checkSaveToken(token: string, lookup: Lookup, nowSeconds: number): JwtResult {
  if (token.length > SAVE_TOKEN_CHARS_MAX) return refused('tooLong', 'the token is longer than 1800 characters')
  const read = readJwt(token, lookup)
  if (!read.ok) return read
  const { aud, typ, iat, payload } = read.claims
  if (aud !== 'google') return refused('badRequest', 'aud must be google')
  if (typ !== 'savetowallet') return refused('badRequest', 'typ must be savetowallet')
  if (typeof iat !== 'number' || iat > nowSeconds + SKEW_SECONDS)
    return refused('badRequest', 'iat is missing or in the future')
  if (!isObject(payload)) return refused('badRequest', 'payload is missing')
  return read
}

/** Access tokens that carry their own proof, so that a restart forgets none. */
export interface AccessTokens {
  issue(clientEmail: string, nowSeconds: number): string
  /** Account of a live token. */
  read(token: string, nowSeconds: number): string | undefined
}

/** Tokens signed with `key` (32 random bytes kept in the sandbox's folder). */
export function createAccessTokens(key: Buffer): AccessTokens {
  const mac = (body: string) => createHmac('sha256', key).update(body).digest()
  return {
    issue(clientEmail, nowSeconds) {
      const claims = [clientEmail, nowSeconds + TOKEN_LIFE_SECONDS, randomBytes(6).toString('hex')]
      const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
      return `ya29.${body}.${mac(body).toString('base64url')}`
    },
    read(token, nowSeconds) {
      const [, body = '', proof = ''] = /^ya29\.([\w-]+)\.([\w-]+)$/.exec(token) ?? []
      const [expected, actual] = [mac(body), Buffer.from(proof, 'base64url')]
      if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return undefined
      const [email, expires] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as [string, number]
      return expires > nowSeconds ? email : undefined
    },
  }
}
