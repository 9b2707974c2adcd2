import { checkUuid, notFound } from '@stampede/platform'
import type { GetBalanceRequest, GetBalanceResponse } from '@stampede/proto/ledger/v1'
import { toBalance } from '../answers.ts'
import type { LedgerContext } from '../context.ts'
import { readAccountView } from '../store/account-view.ts'
import { pointsOf } from '../store/keys.ts'
import { brandOf } from './checks.ts'

/** A member's balance now; zeros for an enrolled member without postings. */
export async function getBalance(context: LedgerContext, request: GetBalanceRequest): Promise<GetBalanceResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = pointsOf({ brand, memberId: checkUuid(request.memberId, 'member_id') })
  const { known, account } = await readAccountView(context.database, key, context.clock.nowMs())
  if (!known) throw notFound()
  return { balance: toBalance(account) }
}
