import { checkUuid, type Delivery, invalidArgument, type Sql } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { type AccountUpdate, lockCards, saveAccounts } from '../store/cards.ts'
import { announceChanges, cardState } from './announce.ts'
import { eventsByBrand } from './by-brand.ts'

/** Projects balances and wakes the phones that would show another one. */
export async function handleAccounts(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const { brand, events } of eventsByBrand(context, batch)) {
    const updates = events.map((event) => {
      if (event.payload?.$case !== 'account') throw invalidArgument('payload', 'is no account')
      const { memberId, available, nextExpiryAt, nextExpiryPoints, currency } = event.payload.value
      const account = { available, nextExpiryAt, nextExpiryPoints, currency }
      return { memberId: checkUuid(memberId, 'member_id'), version: event.aggregateVersion, account }
    })
    await context.database.transaction((tx) => projectAccounts(context, tx, brand, updates))
  }
  context.relay.wake()
}

async function projectAccounts(
  context: Context,
  tx: Sql,
  brand: BrandView,
  updates: readonly AccountUpdate[],
): Promise<void> {
  const cards = await lockCards(
    tx,
    brand.brand,
    updates.map((item) => item.memberId),
  )
  const cardOf = new Map(cards.map((card) => [card.memberId, card]))
  const newer = updates.filter((item) => item.version > (cardOf.get(item.memberId)?.accountVersion ?? 0n))
  if (newer.length === 0) return
  await saveAccounts(tx, brand.brand, newer)
  const changes = newer.flatMap((item) => {
    const card = cardOf.get(item.memberId)
    if (card?.pass === undefined) return []
    const before = cardState(card, card.pass)
    const sourcesVersion = card.pass.memberVersion + item.version + card.relevanceVersion
    return [{ pass: card.pass, before, after: { ...before, account: item.account }, sourcesVersion }]
  })
  await announceChanges(context, tx, brand, changes, context.clock.now())
}
