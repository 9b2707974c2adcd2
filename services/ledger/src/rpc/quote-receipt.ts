import { checkUuid } from '@stampede/platform'
import type { QuoteReceiptRequest, QuoteReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { smaller } from '../domain/draft.ts'
import { maxPointsForLines, pointsForMoney, programmeAt, totalOf } from '../domain/pricing.ts'
import { noProgramme } from '../refusals.ts'
import { readAccountView } from '../store/account-view.ts'
import { readProgrammes } from '../store/programmes.ts'
import { brandOf, checkLines } from './checks.ts'

/** Lines of a quote at most. */
const QUOTE_LINES_MAX = 500

/** What a basket would earn and how much of it points may pay. A member nobody knows yet has no points, as at the till. */
export async function quoteReceipt(
  context: LedgerContext,
  request: QuoteReceiptRequest,
): Promise<QuoteReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = { brand, memberId: checkUuid(request.memberId, 'member_id') }
  const lines = checkLines(request.lines, 'lines', QUOTE_LINES_MAX)
  const nowMs = context.clock.nowMs()
  const versions = (await readProgrammes(context.database, [brand])).map(({ programme }) => programme)
  const programme = programmeAt(versions, nowMs)
  if (programme === undefined) throw noProgramme()
  const { account } = await readAccountView(context.database, key, nowMs)
  const totalMinor = totalOf(lines)
  return {
    totalMinor,
    pointsToEarn: pointsForMoney(totalMinor, programme),
    maxPointsPayable: smaller(maxPointsForLines(lines, programme), account.available),
    available: account.available,
  }
}
