import { checkIdempotencyKey, checkPresent, invalidArgument, uuidv7 } from '@stampede/platform'
import { CloseSettlementRequest, CloseSettlementResponse } from '@stampede/proto/money/v1'
import type { LedgerContext } from '../../context.ts'
import { moneyEntry, moneyPosting } from '../../domain/money.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertMoneyPostings, sumSettlement } from '../../store/money.ts'
import { brandOf, fingerprint } from '../checks.ts'

/** Moves what participants of a coalition owe each other to the bank. */
export async function closeSettlement(
  context: LedgerContext,
  request: CloseSettlementRequest,
): Promise<CloseSettlementResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const until = checkPresent(request.until, 'until')
  if (!(until.getTime() <= context.clock.nowMs())) throw invalidArgument('until', 'must not be ahead of now')
  const encoded = CloseSettlementRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('money.settlement', encoded), method: 'money.settlement' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.settlement.' || $1, 0))`, [brand])
    const transfers = await sumSettlement(tx, brand, until)
    const causeId = uuidv7(now.getTime())
    if (transfers.length > 0) {
      const entries = transfers.flatMap(({ participantId, amountMinor }) => [
        moneyEntry('settle', -amountMinor, participantId),
        moneyEntry('bank', amountMinor, participantId),
      ])
      // Dated into the period that it closes: the next one begins at zero.
      const occurredAtMs = until.getTime() - 1
      const posting = moneyPosting({ kind: 'coalition_close', causeId, reference: '', occurredAtMs, entries })
      await insertMoneyPostings(tx, [{ brand, posting }], now)
    }
    return { response: CloseSettlementResponse.encode({ transfers: [...transfers] }).finish(), causeId }
  })
  return CloseSettlementResponse.decode(response)
}
