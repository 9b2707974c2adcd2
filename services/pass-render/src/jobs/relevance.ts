import { checkUuid, type Delivery, invalidArgument, type Sql } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { lockCards, type RelevanceUpdate, saveRelevance } from '../store/cards.ts'
import { announceChanges, cardState } from './announce.ts'
import { eventsByBrand } from './by-brand.ts'

/** Projects the places of members' cards. The lock screen depends on them, so a change wakes the phone. */
export async function handleRelevance(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const { brand, events } of eventsByBrand(context, batch)) {
    const updates = events.map((event) => {
      if (event.payload?.$case !== 'relevance') throw invalidArgument('payload', 'is no relevance')
      const state = event.payload.value
      return { memberId: checkUuid(state.memberId, 'member_id'), version: event.aggregateVersion, state }
    })
    await context.database.transaction((tx) => projectRelevance(context, tx, brand, updates))
  }
  context.relay.wake()
}

async function projectRelevance(
  context: Context,
  tx: Sql,
  brand: BrandView,
  updates: readonly RelevanceUpdate[],
): Promise<void> {
  const cards = await lockCards(
    tx,
    brand.brand,
    updates.map((item) => item.memberId),
  )
  const cardOf = new Map(cards.map((card) => [card.memberId, card]))
  const newer = updates.filter((item) => item.version > (cardOf.get(item.memberId)?.relevanceVersion ?? 0n))
  if (newer.length === 0) return
  await saveRelevance(tx, brand.brand, newer)
  const changes = newer.flatMap((item) => {
    const card = cardOf.get(item.memberId)
    if (card?.pass === undefined) return []
    const before = cardState(card, card.pass)
    const sourcesVersion = card.pass.memberVersion + card.accountVersion + item.version
    return [{ pass: card.pass, before, after: { ...before, relevance: item.state }, sourcesVersion }]
  })
  await announceChanges(context, tx, brand, changes, context.clock.now())
}
