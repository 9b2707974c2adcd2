import { checkBigint, checkIdempotencyKey, checkText, failedPrecondition } from '@stampede/platform'
import { RecordPayoutRequest, RecordPayoutResponse } from '@stampede/proto/money/v1'
import type { LedgerContext } from '../../context.ts'
import { moneyPosting, payableTo } from '../../domain/money.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoney, lockMoneyBalance } from '../../store/money.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'

const party = { min: 1, max: 64, pattern: /^(member|fund):[a-z0-9-]+$/ }

/** Notes that something owed was paid. */
export async function recordPayout(
  context: LedgerContext,
  request: RecordPayoutRequest,
): Promise<RecordPayoutResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const account = payableTo(checkText(request.party, 'party', party))
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const encoded = RecordPayoutRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('money.payout', encoded), method: 'money.payout' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const owedMinor = -(await lockMoneyBalance(tx, brand, account))
    if (amountMinor > owedMinor) throw failedPrecondition(`only ${owedMinor} is owed`)
    const entries = [
      { account, amountMinor },
      { account: 'bank', amountMinor: -amountMinor },
    ]
    const posting = moneyPosting({ brand, reference: `payout/${key}`, entries, occurredAtMs: now.getTime() })
    await insertMoney(tx, [posting], now)
    return { response: RecordPayoutResponse.encode({ owedMinor: owedMinor - amountMinor }).finish(), causeId: null }
  })
  return RecordPayoutResponse.decode(response)
}
