import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { equalInConstantTime } from '../domain/secrets.ts'
import type { PassAccess } from '../store/phone-reads.ts'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const scheme = 'ApplePass '

/** The brand that owns a pass type; undefined when none does. */
export function brandOfPassType(context: Context, passTypeId: string): BrandView | undefined {
  return context.brands.list().find((brand) => brand.passTypeId === passTypeId)
}

/** A pass that a phone may see. */
export interface AuthenticatedPass extends PassAccess {
  readonly brand: string
  readonly serial: string
}

/** The pass that the request may see: the type's brand owns it and the token is its own. */
export async function authenticatedPass(
  context: Context,
  passTypeId: string,
  serial: string,
  authorization: string | undefined,
): Promise<AuthenticatedPass | undefined> {
  const brand = brandOfPassType(context, passTypeId)?.brand
  const token = authorization?.startsWith(scheme) === true ? authorization.slice(scheme.length) : undefined
  if (brand === undefined || token === undefined || !uuidPattern.test(serial)) return undefined
  const access = await context.phoneReads.access({ brand, serial: serial.toLowerCase() })
  if (access === undefined) return undefined
  const expected = context.secrets.openAuthToken(access.authToken, brand, serial.toLowerCase())
  return equalInConstantTime(expected, token) ? { ...access, brand, serial: serial.toLowerCase() } : undefined
}
