import type { LedgerContext } from '../../context.ts'
import { fundParty, shareOfSale } from '../../domain/donations/donation.ts'
import { moneyPosting, owed } from '../../domain/money.ts'
import { keptOf } from '../../domain/return.ts'
import { readDonationRules } from '../../store/donations/programmes.ts'
import { ensureShares, lockShares, writeShares } from '../../store/donations/shares.ts'
import { brandIdText } from '../../store/keys.ts'
import { insertMoneyPostings } from '../../store/money.ts'
import { readSales } from '../../store/receipts.ts'
import { type ReceiptEvent, saleIdOf } from '../receipt-event.ts'

/**
 * Books what the brand gives of its receipts, and takes back what returns lower. Of each sale the difference between what
 * it is worth now and what is booked: repeats change nothing and the order of events does not matter.
 */
export async function followShares(context: LedgerContext, receipts: readonly ReceiptEvent[]): Promise<void> {
  const { database, clock } = context
  const rules = await readDonationRules(database, [...new Set(receipts.map(({ brand }) => brand))])
  const shared = receipts.filter(({ brand }) => (rules.get(brand) ?? []).some(({ share }) => share !== undefined))
  if (shared.length === 0) return
  const begun = shared.flatMap((event) => {
    if (event.payload.value.kind !== 'sale') return []
    const recordedAtMs = event.recordedAt?.getTime() ?? 0
    const share = rules.get(event.brand)?.findLast(({ publishedAtMs }) => publishedAtMs <= recordedAtMs)?.share
    return share === undefined ? [] : [{ brand: event.brand, receiptId: saleIdOf(event), ...share }]
  })
  const ids = [
    ...new Map(shared.map((event) => [saleIdOf(event), { brand: event.brand, id: saleIdOf(event) }])).values(),
  ]
  await database.transaction(async (tx) => {
    await ensureShares(tx, begun)
    const locked = await lockShares(tx, ids)
    const sales = await readSales(
      tx,
      locked.map(({ brand, receiptId }) => ({ brand, id: receiptId })),
    )
    const kept = new Map(sales.map(({ brand, record }) => [brandIdText(brand, record.receiptId), keptOf(record)]))
    const moved = locked.flatMap((share) => {
      const keptMinor = kept.get(brandIdText(share.brand, share.receiptId))
      const worthMinor = keptMinor === undefined ? share.bookedMinor : shareOfSale(keptMinor, share.basisPoints)
      return worthMinor === share.bookedMinor
        ? []
        : [{ ...share, bookedMinor: worthMinor, difference: worthMinor - share.bookedMinor }]
    })
    const now = clock.now()
    const postings = moved.map(({ brand, receiptId, fundId, difference }) => ({
      brand,
      posting: moneyPosting({
        kind: 'donation_share',
        causeId: receiptId,
        reference: '',
        occurredAtMs: now.getTime(),
        entries: owed('share', fundParty(fundId), difference),
      }),
    }))
    await insertMoneyPostings(tx, postings, now)
    await writeShares(tx, moved)
  })
}
