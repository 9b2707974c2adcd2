import { checkBigint, checkIdempotencyKey, checkText, failedPrecondition, uuidv7 } from '@stampede/platform'
import { RecordPayoutRequest, RecordPayoutResponse } from '@stampede/proto/money/v1'
import type { LedgerContext } from '../../context.ts'
import { moneyEntry, moneyPosting } from '../../domain/money.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoneyPostings, lockPayable } from '../../store/money.ts'
import { brandOf, fingerprint, POINTS_MAX } from '../checks.ts'

const PARTY = { min: 1, max: 64, pattern: /^(member|fund|partner):[a-z0-9-]+$/ }

/** Notes that something owed was paid. */
export async function recordPayout(
  context: LedgerContext,
  request: RecordPayoutRequest,
): Promise<RecordPayoutResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const party = checkText(request.party, 'party', PARTY)
  const amountMinor = checkBigint(request.amountMinor, 'amount_minor', { min: 1n, max: POINTS_MAX })
  const encoded = RecordPayoutRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('money.payout', encoded), method: 'money.payout' }
  const response = await answerOnce(context, once, async (tx, now) => {
    const owedMinor = -(await lockPayable(tx, brand, party))
    if (amountMinor > owedMinor) throw failedPrecondition(`only ${owedMinor} is owed`)
    const payoutId = uuidv7(now.getTime())
    const posting = moneyPosting({
      kind: 'payout',
      causeId: payoutId,
      reference: '',
      occurredAtMs: now.getTime(),
      entries: [moneyEntry('payable', amountMinor, party), moneyEntry('bank', -amountMinor)],
    })
    await insertMoneyPostings(tx, [{ brand, posting }], now)
    const answer = { payoutId, owedMinor: owedMinor - amountMinor }
    return { response: RecordPayoutResponse.encode(answer).finish(), causeId: payoutId }
  })
  return RecordPayoutResponse.decode(response)
}
