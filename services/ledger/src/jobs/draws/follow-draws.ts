import type { LedgerContext } from '../../context.ts'
import { readDraws } from '../../store/draws/draws.ts'
import { type ReceiptEvent, saleIdOf } from '../receipt-event.ts'
import { countSales } from './count-sales.ts'

/** Counts receipts for the draws of their time. */
export async function followDraws(context: LedgerContext, receipts: readonly ReceiptEvent[]): Promise<void> {
  const brands = [...new Set(receipts.map(({ brand }) => brand))]
  for (const draw of await readDraws(context.database, brands, context.clock.now())) {
    const { fromMs, cutOffMs } = draw.rules
    const own = receipts.filter(({ brand }) => brand === draw.brand)
    const begun = own.flatMap((event) => {
      const { kind, memberId, occurredAt } = event.payload.value
      const atMs = occurredAt?.getTime() ?? 0
      return kind === 'sale' && atMs >= fromMs && atMs < cutOffMs ? [{ receiptId: saleIdOf(event), memberId }] : []
    })
    const returned = own.filter(({ payload }) => payload.value.kind === 'return').map(saleIdOf)
    const touched = [...new Set([...begun.map(({ receiptId }) => receiptId), ...returned])]
    if (touched.length > 0) await countSales(context, draw, { begun, touched })
  }
}
