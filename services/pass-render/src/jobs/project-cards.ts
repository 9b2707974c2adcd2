import type { Sql } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView, CardState } from '../domain/card.ts'
import { type LockedCard, lockCards } from '../store/cards.ts'
import { announceChanges, cardState } from './announce.ts'

/** A source's new state of a member's card. */
export interface CardUpdate {
  readonly memberId: string
  /** Version of the source's aggregate. */
  readonly version: bigint
  /** When the ledger recorded it; default: the ledger is not its source. */
  readonly causedAt?: Date | undefined
}

/** How the states of one source become a part of cards. */
export interface CardSource<Update extends CardUpdate> {
  /** Version of this source that a card shows. */
  versionOf(card: LockedCard): bigint
  save(tx: Sql, brand: string, updates: readonly Update[]): Promise<void>
  /** The card as it is with the update. */
  apply(before: CardState, update: Update): CardState
}

/** Stores the updates that are newer than what cards show, and announces what phones would show differently. */
export async function projectCards<Update extends CardUpdate>(
  context: Context,
  tx: Sql,
  brand: BrandView,
  updates: readonly Update[],
  source: CardSource<Update>,
): Promise<void> {
  const cards = await lockCards(
    tx,
    brand.brand,
    updates.map((item) => item.memberId),
  )
  const cardOf = new Map(cards.map((card) => [card.memberId, card]))
  const shown = (item: Update): bigint => {
    const card = cardOf.get(item.memberId)
    return card === undefined ? 0n : source.versionOf(card)
  }
  const newer = updates.filter((item) => item.version > shown(item))
  if (newer.length === 0) return
  await source.save(tx, brand.brand, newer)
  const changes = newer.flatMap((item) => {
    const card = cardOf.get(item.memberId)
    if (card?.pass === undefined) return []
    const before = cardState(card, card.pass)
    const sourcesBefore =
      card.pass.memberVersion + card.pass.detailsVersion + card.accountVersion + card.relevanceVersion
    const sourcesVersion = sourcesBefore - source.versionOf(card) + item.version
    const after = source.apply(before, item)
    return [{ pass: card.pass, before, after, sourcesVersion, causedAt: item.causedAt }]
  })
  await announceChanges(context, tx, brand, changes, context.clock.now())
}
