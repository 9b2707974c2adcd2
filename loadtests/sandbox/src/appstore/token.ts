import { verify } from 'node:crypto'
import { isObject } from '../pass/check-json.ts'
import type { RegisteredKey } from './keys.ts'
import { bad, type Checked, good } from './problem.ts'

/** Who every token must be meant for. */
export const AUDIENCE = 'appstoreconnect-v1'
/** Longest life of a token, seconds. */
export const TOKEN_LIFE_SECONDS_MAX = 20 * 60
/** Clocks may differ by this much. */
const SKEW_SECONDS = 60

type Claims = Readonly<Record<string, unknown>>

function decode(part: string | undefined): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function refused(detail: string): {
  readonly ok: false
  readonly problem: { status: 401; code: string; detail: string }
} {
  return { ok: false, problem: { status: 401, code: 'NOT_AUTHORIZED', detail } }
}

function checkTimes({ iat, exp }: Claims, nowSeconds: number): string | undefined {
  if (typeof exp !== 'number' || !Number.isInteger(exp)) return 'exp: must be whole seconds'
  if (iat !== undefined && (typeof iat !== 'number' || iat > nowSeconds + SKEW_SECONDS)) return 'iat: lies ahead'
  if (exp <= nowSeconds) return 'exp: the token has expired'
  const from = typeof iat === 'number' ? iat : nowSeconds
  if (exp - from > TOKEN_LIFE_SECONDS_MAX || exp > nowSeconds + TOKEN_LIFE_SECONDS_MAX + SKEW_SECONDS)
    return 'exp: lives longer than 20 minutes'
  return undefined
}

/** Checks the Authorization header: an ES256 token of a registered team key that lives at most 20 minutes. */
export function checkToken(
  authorization: string,
  lookup: (keyId: string) => RegisteredKey | undefined,
  nowSeconds: number,
): Checked<RegisteredKey> {
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1]
  if (!token) return refused('authorization: no bearer token')
  const parts = token.split('.')
  const [header, claims] = [decode(parts[0]), decode(parts[1])]
  if (parts.length !== 3 || !header || !claims) return refused('the token is not a JWT')
  if (header['alg'] !== 'ES256') return refused('alg: must be ES256')
  if (header['typ'] !== 'JWT') return refused('typ: must be JWT')
  const key = typeof header['kid'] === 'string' ? lookup(header['kid']) : undefined
  if (!key) return refused('kid: unknown')
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`)
  const publicKey = { key: key.publicKeyPem, dsaEncoding: 'ieee-p1363' as const }
  if (!verify('sha256', signed, publicKey, Buffer.from(parts[2] ?? '', 'base64url')))
    return refused('the signature does not verify')
  if (claims['sub'] === 'user') return bad(403, 'FORBIDDEN_ERROR', 'individual keys have no access to provisioning')
  if (claims['iss'] !== key.issuerId) return refused('iss: is not the issuer of this key')
  if (claims['aud'] !== AUDIENCE) return refused(`aud: must be ${AUDIENCE}`)
  const wrong = checkTimes(claims, nowSeconds)
  return wrong === undefined ? good(key) : refused(wrong)
}
