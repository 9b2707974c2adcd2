import type { BrandDirectory, Database } from '@stampede/platform'
import { settledCard } from '../../domain/gift-cards/books.ts'
import { lockDueGiftCards } from './cards.ts'
import { saveGiftCards } from './save.ts'

/** Posts what time has done to up to `limit` gift cards that nobody else has in work; answers how many. */
export async function expireGiftCards(
  { database, brands }: { readonly database: Database; readonly brands: Pick<BrandDirectory, 'get'> },
  now: Date,
  limit: number,
): Promise<number> {
  return database.transaction(async (tx) => {
    const due = await lockDueGiftCards(tx, now, limit)
    const settled = due.map((stored) => ({ stored, ...settledCard(stored.card, now.getTime()) }))
    const changes = {
      cards: settled.map(({ stored, card }) => ({ ...stored, card })),
      postings: settled.flatMap(({ stored: { brand }, postings }) => postings.map((posting) => ({ brand, posting }))),
    }
    await saveGiftCards(tx, changes, now, (brand) => brands.get(brand)?.currency ?? '')
    return due.length
  })
}
