import type { GetFundReportRequest, GetFundReportResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { fundParty } from '../../domain/donations/donation.ts'
import { sum } from '../../domain/shares.ts'
import { sumDonations } from '../../store/donations/donations.ts'
import { sumPayable } from '../../store/money.ts'
import { brandOf } from '../checks.ts'
import { checkFundId } from './check-programme.ts'

/** What a fund has got and what it is owed. */
export async function getFundReport(
  context: LedgerContext,
  request: GetFundReportRequest,
): Promise<GetFundReportResponse> {
  const { brand } = brandOf(context, request.brand)
  const fundId = checkFundId(request.fundId, 'fund_id')
  return context.database.transaction(async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    const donated = await sumDonations(tx, brand, fundId)
    const sums = await sumPayable(tx, brand, fundParty(fundId))
    const shareMinor = -(sums.get('donation_share') ?? 0n)
    const paidMinor = sums.get('payout') ?? 0n
    const owedMinor = -sum([...sums.values()])
    return { ...donated, shareMinor, paidMinor, owedMinor }
  })
}
