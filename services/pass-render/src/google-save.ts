import { sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Credentials } from '@stampede/platform'
import type { BrandView } from './domain/card.ts'
import { googleClassId, googleObjectId } from './domain/google.ts'

/** Longest JWT that browsers carry in a link without cutting it, in characters. */
export const MAX_SAVE_JWT_CHARS = 1_800

const signAsync = promisify((data: Buffer, key: string, done: (error: Error | null, signature: Buffer) => void) =>
  sign('sha256', data, key, done),
)

/** Google's save link of a pass; empty without an issuer or a service account. A bearer secret of the member's. */
export async function googleSaveUrl(
  credentials: Credentials,
  brand: BrandView,
  serial: string,
  issuedAt: Date,
): Promise<string> {
  const account = brand.googleIssuerId === '' ? undefined : credentials.google(brand.brand)
  if (account === undefined) return ''
  const claims = {
    iss: account.clientEmail,
    aud: 'google',
    typ: 'savetowallet',
    // The pass's own time keeps the link the same at every call.
    iat: Math.floor(issuedAt.getTime() / 1000),
    payload: { loyaltyObjects: [{ id: googleObjectId(brand, serial), classId: googleClassId(brand) }] },
  }
  const head = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  const signature = await signAsync(Buffer.from(head), account.privateKeyPem)
  const jwt = `${head}.${signature.toString('base64url')}`
  if (jwt.length > MAX_SAVE_JWT_CHARS) throw new Error('a save link of ids only is too long')
  return `https://pay.google.com/gp/v/save/${jwt}`
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
