import type { GetLiabilityRequest, GetLiabilityResponse } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { readLiability } from '../../store/liability.ts'
import { brandOf } from '../checks.ts'

/** What the brand owes its members, and all that was ever posted. */
export async function getLiability(
  context: LedgerContext,
  request: GetLiabilityRequest,
): Promise<GetLiabilityResponse> {
  const { brand } = brandOf(context, request.brand)
  const { buckets, entries } = await readLiability(context.database, brand)
  const of = (account: string) => entries.get(account) ?? 0n
  const [issued, redeemed, expired] = [-of('issued'), of('redeemed'), of('expired')]
  const [adjusted, debt, donated] = [-of('adjusted'), -of('debt'), of('donated')]
  const outstanding = issued + adjusted + debt - redeemed - expired - donated
  return { buckets: [...buckets], issued, redeemed, expired, adjusted, debt, outstanding, donated }
}
