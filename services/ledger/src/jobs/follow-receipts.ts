import {
  type Consumer,
  decodeEvents,
  type Logger,
  type Metrics,
  type Nats,
  startConsumer,
  subjects,
} from '@stampede/platform'
import type { Event } from '@stampede/proto/events/v1'
import type { LedgerContext } from '../context.ts'
import { brandIdText } from '../store/keys.ts'
import { readReferringBrands } from '../store/referrals/programmes.ts'
import { readReferees } from '../store/referrals/referrals.ts'
import { followShares } from './donations/follow-shares.ts'
import { followDraws } from './draws/follow-draws.ts'
import { isReceipt, type ReceiptEvent } from './receipt-event.ts'
import { followSale } from './referrals/follow-sale.ts'
import { giveRewards } from './referrals/give-rewards.ts'

const BATCH_MAX = 500
const EXPIRES_MS = 5_000

/** Follows the ledger's own receipts for what they mean to others than their member. */
export async function startReceiptFollower(options: {
  readonly context: LedgerContext
  readonly nats: Nats
  readonly logger: Logger
  readonly metrics: Metrics
  /** Called after each batch. */
  readonly onFollowed: () => void
}): Promise<Consumer> {
  const { context, nats, logger, metrics, onFollowed } = options
  return startConsumer({
    nats,
    stream: 'EVENTS',
    durable: 'ledger-receipts',
    filterSubjects: [subjects.receipt('*')],
    batchMax: BATCH_MAX,
    expiresMs: EXPIRES_MS,
    logger,
    metrics,
    handle: async (batch) => {
      await followReceipts(context, decodeEvents(batch))
      // Not left to the sweeper: both sides should see soon that their points are pending.
      await giveRewards(context, BATCH_MAX)
      onFollowed()
    },
  })
}

/** Does what a batch of receipts means; harmless if any of it was done before. */
export async function followReceipts(context: LedgerContext, events: readonly Event[]): Promise<void> {
  const receipts = events.filter(isReceipt)
  await followReferees(context, receipts)
  await followShares(context, receipts)
  await followDraws(context, receipts)
}

async function followReferees(context: LedgerContext, receipts: readonly ReceiptEvent[]): Promise<void> {
  const brands = [...new Set(receipts.map(({ brand }) => brand))]
  const referring = await readReferringBrands(context.database, brands)
  const followed = receipts.filter(({ brand }) => referring.has(brand))
  if (followed.length === 0) return
  const members = followed.map(({ brand, payload }) => ({ brand, memberId: payload.value.memberId }))
  const referees = await readReferees(context.database, members)
  for (const event of followed) {
    if (referees.has(brandIdText(event.brand, event.payload.value.memberId))) await followSale(context, event)
  }
}
