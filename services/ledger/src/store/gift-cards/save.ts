import { type Sql, writeOutbox } from '@stampede/platform'
import { giftCardEvent } from '../../events.ts'
import { type BrandMoneyPosting, insertMoneyPostings } from '../money.ts'
import { type StoredGiftCard, writeGiftCards } from './cards.ts'
import { writeCardHolds } from './holds.ts'

/** What is to be written of gift cards: locked ones as they are now, and what moved. */
export interface GiftCardChanges {
  readonly cards: readonly StoredGiftCard[]
  readonly postings: readonly BrandMoneyPosting[]
}

/** Writes cards with their holds, their books and their events; each card gets its next version. */
export async function saveGiftCards(
  tx: Sql,
  { cards, postings }: GiftCardChanges,
  now: Date,
  currencyOf: (brand: string) => string,
): Promise<void> {
  const next = cards.map((stored) => ({ ...stored, version: stored.version + 1n }))
  await Promise.all([
    writeGiftCards(tx, next),
    writeCardHolds(
      tx,
      next.flatMap(({ brand, card }) => card.holds.map((hold) => ({ brand, cardId: card.cardId, hold }))),
    ),
    insertMoneyPostings(tx, postings, now),
    writeOutbox(
      tx,
      next.map((stored) => giftCardEvent(stored, currencyOf(stored.brand), now)),
    ),
  ])
}
