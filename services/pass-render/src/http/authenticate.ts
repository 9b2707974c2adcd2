import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { equalInConstantTime } from '../domain/secrets.ts'
import { findPassBySerial, type PassRecord } from '../store/passes.ts'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const scheme = 'ApplePass '

/** The brand that owns a pass type; undefined when none does. */
export function brandOfPassType(context: Context, passTypeId: string): BrandView | undefined {
  return context.brands.list().find((brand) => brand.passTypeId === passTypeId)
}

/** The pass that the request may see: the type's brand owns it and the token is its own. */
export async function authenticatedPass(
  context: Context,
  passTypeId: string,
  serial: string,
  authorization: string | undefined,
): Promise<PassRecord | undefined> {
  const brand = brandOfPassType(context, passTypeId)
  const token = authorization?.startsWith(scheme) === true ? authorization.slice(scheme.length) : undefined
  if (brand === undefined || token === undefined || !uuidPattern.test(serial)) return undefined
  const record = await findPassBySerial(context.database, brand.brand, serial)
  if (record === undefined) return undefined
  const expected = context.secrets.openAuthToken(record.authToken, brand.brand, record.serial)
  return equalInConstantTime(expected, token) ? record : undefined
}
