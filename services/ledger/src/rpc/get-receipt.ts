import { checkUuid, notFound } from '@stampede/platform'
import type { GetReceiptRequest, GetReceiptResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { readCardPayments } from '../store/gift-cards/payments.ts'
import { readExplanations, readSales } from '../store/receipts.ts'
import { brandOf } from './checks.ts'

/** A sale as it was posted, and how its points came about. */
export async function getReceipt(context: LedgerContext, request: GetReceiptRequest): Promise<GetReceiptResponse> {
  const { brand } = brandOf(context, request.brand)
  const id = { brand, id: checkUuid(request.receiptId, 'receipt_id') }
  const [sale] = await readSales(context.database, [id])
  if (sale === undefined) throw notFound()
  const { memberId, storeId, tillId, programmeVersion, record } = sale
  const payments = await readCardPayments(context.database, [id])
  const explained = await readExplanations(context.database, id)
  return {
    receiptId: record.receiptId,
    memberId,
    storeId,
    tillId,
    programmeVersion,
    lines: record.lines.map(({ sku, quantity, amountMinor, category, paid, earned, discountMinor, returned }) => ({
      line: { sku, quantity, amountMinor, category },
      share: { pointsPaid: paid, pointsEarned: earned, discountMinor },
      returned,
    })),
    explanations: [...explained.explanations],
    discounts: [...explained.discounts],
    giftCards: payments.map(({ payment: { cardId, amountMinor, returnedMinor } }) => ({
      cardId,
      amountMinor,
      returnedMinor,
    })),
  }
}
