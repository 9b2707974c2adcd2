import { checkUuid, type Delivery, invalidArgument } from '@stampede/platform'
import type { Context } from '../context.ts'
import { type AccountUpdate, saveAccounts } from '../store/cards.ts'
import { eventsByBrand } from './by-brand.ts'
import { type CardSource, projectCards } from './project-cards.ts'

/** Projects balances and wakes the phones that would show another one. */
export async function handleAccounts(context: Context, batch: readonly Delivery[]): Promise<void> {
  for (const { brand, events } of eventsByBrand(context, batch)) {
    const updates = events.map((event) => {
      if (event.payload?.$case !== 'account') throw invalidArgument('payload', 'is no account')
      const { memberId, available, nextExpiryAt, nextExpiryPoints, currency } = event.payload.value
      const account = { available, nextExpiryAt, nextExpiryPoints, currency }
      const version = event.aggregateVersion
      return { memberId: checkUuid(memberId, 'member_id'), version, account, causedAt: event.recordedAt }
    })
    await context.database.transaction((tx) => projectCards(context, tx, brand, updates, accounts))
  }
  context.relay.wake()
}

const accounts: CardSource<AccountUpdate> = {
  versionOf: (card) => card.accountVersion,
  save: saveAccounts,
  apply: (before, { account }) => ({ ...before, account }),
}
