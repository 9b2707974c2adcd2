import type { Context } from '../context.ts'
import { equalInConstantTime } from '../domain/secrets.ts'
import type { PassAccess } from '../store/phone-reads.ts'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** The scheme and exactly one space. */
const scheme = 'ApplePass '

/** What a request for a pass shows: which pass of which brand, and the token that shall prove the right to it. */
export interface Claim {
  readonly brand: string
  /** Lower case. */
  readonly serial: string
  readonly token: string
}

/** The claim of a request; undefined when it cannot be anybody's. */
export function claimOf(
  context: Context,
  passTypeId: string,
  serial: string,
  authorization: string | undefined,
): Claim | undefined {
  const brand = context.passTypes.brandOf(passTypeId)?.brand
  const ownSerial = serial.toLowerCase()
  if (brand === undefined || authorization?.startsWith(scheme) !== true || !uuidPattern.test(ownSerial))
    return undefined
  return { brand, serial: ownSerial, token: authorization.slice(scheme.length) }
}

/** Whether the claim shows the pass's own token. */
export function isProven(context: Context, claim: Claim, authToken: Buffer): boolean {
  const expected = context.secrets.openAuthToken(authToken, claim.brand, claim.serial)
  return equalInConstantTime(expected, claim.token)
}

/** The pass that the request may see: the type's brand owns it and the token is its own. */
export async function authenticatedPass(context: Context, claim: Claim | undefined): Promise<PassAccess | undefined> {
  if (claim === undefined) return undefined
  const access = await context.phoneReads.access(claim)
  return access !== undefined && isProven(context, claim, access.authToken) ? access : undefined
}
