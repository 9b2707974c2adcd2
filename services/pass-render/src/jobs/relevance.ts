import { checkUuid, type Delivery, invalidArgument } from '@stampede/platform'
import type { Context } from '../context.ts'
import { type RelevanceUpdate, saveRelevance } from '../store/cards.ts'
import { eventsByBrand } from './by-brand.ts'
import { type CardSource, projectCards } from './project-cards.ts'

/** Projects the places of members' cards. The lock screen depends on them, so a change wakes the phone. */
export async function handleRelevance(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const { brand, events } of eventsByBrand(context, batch)) {
    const updates = events.map((event) => {
      if (event.payload?.$case !== 'relevance') throw invalidArgument('payload', 'is no relevance')
      const state = event.payload.value
      return { memberId: checkUuid(state.memberId, 'member_id'), version: event.aggregateVersion, state }
    })
    await context.database.transaction((tx) => projectCards(context, tx, brand, updates, relevance))
  }
  context.relay.wake()
}

const relevance: CardSource<RelevanceUpdate> = {
  versionOf: (card) => card.relevanceVersion,
  save: saveRelevance,
  apply: (before, { state }) => ({ ...before, relevance: state }),
}
