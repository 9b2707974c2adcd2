import { type OutboxMessage, type Sql, writeOutbox } from '@stampede/platform'
import { utcMonth } from '../domain/calendar.ts'
import { programmeAt } from '../domain/programme.ts'
import { stampCurrency } from '../domain/stamps/card.ts'
import { tierProgress } from '../domain/tiers/progress.ts'
import { accountEvent, couponEvents, orderEvent, receiptEvent, type ShownTier, stampEvent } from '../events.ts'
import { updateAccounts } from '../store/accounts.ts'
import { writeAdjustments } from '../store/adjustments.ts'
import { writeEventGrants } from '../store/event-grants.ts'
import { type OwnedHold, writeHolds } from '../store/holds.ts'
import { insertAnswers } from '../store/idempotency.ts'
import { brandIdText, POINTS } from '../store/keys.ts'
import { insertLots, type OwnedLot, updateLots } from '../store/lots.ts'
import { insertMoneyPostings } from '../store/money.ts'
import { insertPostings } from '../store/postings.ts'
import { insertReceipts, updateSales } from '../store/receipts.ts'
import { writeStamps } from '../store/stamps.ts'
import { writeDays, writeMemberTiers } from '../store/tiers.ts'
import { writeWorkingCoupons } from './coupons.ts'
import { writeWorkingGiftCards } from './gift-cards.ts'
import { writeWorkingPrices } from './prices.ts'
import { writeWorkingRewards } from './rewards.ts'
import type { WorkingTier } from './tiers.ts'
import type { WorkingAccount, WorkingSet } from './working-set.ts'

/** Writes all that was decided in a constant number of statements, its events among it. */
export async function writeWorkingSet(tx: Sql, set: WorkingSet): Promise<void> {
  const changed = [...set.accounts.values()].filter((working) => working.cause !== undefined)
  const postings = changed.flatMap(({ key, postings: own }) => own.map((posting) => ({ key, posting })))
  // None reads what another writes: they leave together and run in this order.
  await Promise.all([
    insertPostings(tx, postings, { postedAtMs: set.nowMs, month: utcMonth(set.nowMs) }),
    writeLots(tx, changed),
    writeHoldsOf(tx, changed),
    insertReceipts(
      tx,
      set.receipts.map(({ receipt }) => receipt),
      set.nowMs,
    ),
    updateSales(
      tx,
      [...set.changedSales].flatMap((text) => set.sales.get(text) ?? []),
    ),
    insertAnswers(tx, set.newAnswers),
    writeTiers(tx, [...set.tiers.values()]),
    writeWorkingCoupons(tx, set),
    writeWorkingRewards(tx, set),
    insertMoneyPostings(tx, set.moneyPostings, new Date(set.nowMs)),
    writeStamps(
      tx,
      [...set.changedStamps].flatMap((text) => set.stamps.get(text) ?? []),
    ),
    writeWorkingGiftCards(tx, set),
    writeWorkingPrices(tx, set),
    writeEventGrants(
      tx,
      [...set.changedGrants].flatMap((text) => set.eventGrants.get(text) ?? []),
    ),
    writeAdjustments(
      tx,
      [...set.changedAdjustments].flatMap((text) => set.adjustments.get(text) ?? []),
    ),
    updateAccounts(
      tx,
      changed.map(({ key, account }) => ({ key, totals: account })),
    ),
    writeOutbox(tx, eventsOf(set, changed)),
  ])
}

/** What the event of a member with tiers tells of them. */
function tierShown(set: WorkingSet, { key }: WorkingAccount): ShownTier | undefined {
  const tier = set.tiers.get(brandIdText(key.brand, key.memberId))
  if (tier?.state === undefined) return undefined
  const { isChanged, changes, state } = tier
  const ladder = programmeAt(set.programmes.get(key.brand) ?? [], set.nowMs)?.ladder
  const timeZone = set.brands.get(key.brand)?.timeZone ?? 'UTC'
  const facts = { state, days: [...tier.days.values()], nowMs: set.nowMs, timeZone }
  return { isChanged, changes, progress: ladder === undefined ? undefined : tierProgress({ ladder, ...facts }, state) }
}

/** Stamps that fill the card of an account now; zero where the programme has no such card any more. */
function targetOf(set: WorkingSet, { key }: WorkingAccount): bigint {
  const cards = programmeAt(set.programmes.get(key.brand) ?? [], set.nowMs)?.stampCards ?? []
  return cards.find(({ cardId }) => stampCurrency(cardId) === key.currency)?.target ?? 0n
}

async function writeTiers(tx: Sql, tiers: readonly WorkingTier[]): Promise<void> {
  const stored = tiers.flatMap(({ state, isChanged, ...tier }) =>
    isChanged && state !== undefined ? [{ ...tier, state }] : [],
  )
  const days = tiers.flatMap(({ brand, memberId, days: all, touchedDays }) =>
    [...touchedDays].flatMap((one) => {
      const day = all.get(one)
      return day === undefined ? [] : [{ brand, memberId, day }]
    }),
  )
  await Promise.all([writeMemberTiers(tx, stored), writeDays(tx, days)])
}

async function writeLots(tx: Sql, changed: readonly WorkingAccount[]): Promise<void> {
  const made: OwnedLot[] = []
  const kept: OwnedLot[] = []
  for (const { key, account, touchedLots, storedIds } of changed) {
    for (const lotId of touchedLots) {
      const lot = account.lots.get(lotId)
      if (lot !== undefined) (storedIds.has(lotId) ? kept : made).push({ key, lot })
    }
  }
  await Promise.all([insertLots(tx, made), updateLots(tx, kept)])
}

async function writeHoldsOf(tx: Sql, changed: readonly WorkingAccount[]): Promise<void> {
  const made: OwnedHold[] = []
  const kept: OwnedHold[] = []
  for (const { key, account, touchedHolds, storedIds } of changed) {
    for (const holdId of touchedHolds) {
      const hold = account.holds.get(holdId)
      if (hold !== undefined) (storedIds.has(holdId) ? kept : made).push({ key, hold })
    }
  }
  await writeHolds(tx, kept, made)
}

function eventsOf(set: WorkingSet, changed: readonly WorkingAccount[]): readonly OutboxMessage[] {
  const now = new Date(set.nowMs)
  const accounts = changed.flatMap((working) => {
    if (working.key.currency !== POINTS) return stampEvent(working, targetOf(set, working), now)
    const currency = set.brands.get(working.key.brand)?.currency ?? ''
    return accountEvent(working, tierShown(set, working), currency, now) ?? []
  })
  const coupons = [...set.coupons.changed].flatMap((text) => {
    const coupon = set.coupons.coupons.get(text)
    const campaign = coupon && set.coupons.campaigns.get(brandIdText(coupon.brand, coupon.campaignId))
    return campaign === undefined || coupon === undefined ? [] : couponEvents([coupon], campaign, now)
  })
  const orders = [...set.rewards.changedOrders].flatMap((text) => {
    const order = set.rewards.orders.get(text)
    return order === undefined ? [] : orderEvent(order, now)
  })
  const minted = set.mintedCoupons.flatMap((coupon) => {
    const campaign = set.coupons.campaigns.get(brandIdText(coupon.brand, coupon.campaignId))
    return campaign === undefined ? [] : couponEvents([coupon], campaign, now)
  })
  return [...accounts, ...coupons, ...minted, ...orders, ...set.receipts.map((posted) => receiptEvent(posted, now))]
}
