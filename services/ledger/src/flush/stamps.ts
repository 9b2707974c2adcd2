import assert from 'node:assert/strict'
import type { BrandInfo } from '@stampede/platform'
import { endOfLife } from '../domain/calendar.ts'
import type { Programme } from '../domain/programme.ts'
import type { ReturnCommand } from '../domain/return.ts'
import type { SaleCommand } from '../domain/sale.ts'
import {
  countedStamps,
  isShown,
  type ShownCard,
  type StampCard,
  stampCurrency,
  stampLines,
} from '../domain/stamps/card.ts'
import { type StampOutcome, stampReturn } from '../domain/stamps/stamp.ts'
import { viewAt } from '../domain/view.ts'
import { newCoupon, randomCode } from '../issue-coupons.ts'
import { type AccountKey, brandIdText } from '../store/keys.ts'
import { stampText } from '../store/stamps.ts'
import type { Item, ItemRequest } from './item.ts'
import { perform, workingAccount } from './perform.ts'
import type { WorkingSet } from './working-set.ts'

/** What a sale did to a stamp card. */
export interface Stamped {
  readonly cardId: string
  readonly target: bigint
  readonly earned: bigint
  readonly spent: bigint
  readonly stamps: bigint
  readonly owed: bigint
  readonly couponCodes: readonly string[]
}

/** Currencies of all stamp cards that any version of a programme has. */
export function stampCurrencies(versions: readonly Programme[]): readonly string[] {
  return [...new Set(versions.flatMap(({ stampCards }) => stampCards.map(({ cardId }) => stampCurrency(cardId))))]
}

/** When the stamps of a receipt end; infinite: never. */
export function stampsEndMs({ liveDays }: StampCard, occurredAtMs: number, timeZone: string): number {
  return liveDays === 0 ? Number.POSITIVE_INFINITY : endOfLife(occurredAtMs, liveDays, timeZone)
}

/** The cards that hold for a sale, as its member has them. */
export function shownCards(
  set: WorkingSet,
  item: Item,
  { storeId, occurredAtMs }: Pick<Extract<ItemRequest, { kind: 'sale' }>, 'storeId' | 'occurredAtMs'>,
  { stampCards }: Programme,
  { timeZone }: BrandInfo,
): readonly ShownCard[] {
  return stampCards
    .filter((card) => isShown(card, storeId, occurredAtMs))
    .map((card) => ({
      card,
      stamps: countedStamps(viewAt(workingAccount(set, stampsOf(item, card.cardId)).account, set.nowMs)),
      isLive: stampsEndMs(card, occurredAtMs, timeZone) > set.nowMs,
    }))
}

/** Stamps the member's cards for a sale that is posted. */
export function stampCards(set: WorkingSet, item: Item, sale: SaleCommand, brand: BrandInfo): readonly Stamped[] {
  const { programme, storeId, occurredAtMs } = sale
  const shown = programme.stampCards.filter((card) => isShown(card, storeId, occurredAtMs))
  return shown.flatMap((card) => stampCard(set, item, sale, card, brand) ?? [])
}

function stampCard(
  set: WorkingSet,
  item: Item,
  { receiptId, occurredAtMs, basket, programme }: SaleCommand,
  card: StampCard,
  brand: BrandInfo,
): Stamped | undefined {
  const none = basket.lines.map(() => 0n)
  const lines = stampLines(card, basket.lines, basket.freePieces.get(card.cardId) ?? { pieces: none, parts: none })
  if (lines.every(({ earned, paid }) => earned + paid === 0n)) return undefined
  const { cardId, target, rewardCampaignId, funder } = card
  const term = { activatesAtMs: set.nowMs, expiresAtMs: stampsEndMs(card, occurredAtMs, brand.timeZone) }
  const couponTarget = rewardCampaignId === undefined ? undefined : target
  const command = { kind: 'stamp', receiptId, occurredAtMs, lines, term, couponTarget, funder } as const
  const cause = { kind: 'stamp', causeId: receiptId, eventTimeMs: occurredAtMs }
  const { decision } = perform(set, stampsOf(item, cardId), command, cause)
  const { outcome, account } = decision
  assert(outcome.kind === 'stamp')
  const { brand: slug, memberId } = item
  const lineIndexes = lines.map(({ lineIndex }) => lineIndex)
  const stored = { brand: slug, memberId, cardId, programmeVersion: programme.version, lineIndexes }
  keep(set, { ...stored, record: outcome.sale })
  const couponCodes = mintCoupons(set, item, rewardCampaignId, outcome, brand)
  const { earned, spent } = outcome
  return { cardId, target, earned, spent, stamps: account.available, owed: account.debt, couponCodes }
}

/** Coupons of full cards, in the same transaction. */
function mintCoupons(
  set: WorkingSet,
  { brand, memberId }: Item,
  campaignId: string | undefined,
  { coupons }: StampOutcome,
  info: BrandInfo,
): readonly string[] {
  const campaign = campaignId === undefined ? undefined : set.coupons.campaigns.get(brandIdText(brand, campaignId))
  if (campaignId === undefined || coupons === 0n) return []
  assert(campaign !== undefined, 'the campaigns of stamp cards were loaded')
  const owner = { brand: info, memberId, now: new Date(set.nowMs) }
  const minted = Array.from({ length: Number(coupons) }, () => newCoupon(campaign, randomCode(), owner))
  set.mintedCoupons.push(...minted)
  return minted.map(({ code }) => code)
}

/** Gives stamps of free pieces back and takes back those of paid ones. */
export function returnStamps(set: WorkingSet, item: Item, { sale, ...command }: ReturnCommand): void {
  for (const stored of [...set.stamps.values()]) {
    if (stored.brand !== item.brand || stored.record.receiptId !== sale.receiptId) continue
    const { record, cardId, lineIndexes } = stored
    const lines = stampReturn(record.lines, lineIndexes, command.lines)
    if (lines.length === 0) continue
    const policies = { ...command.policies, returnPolicy: 'unlimited', debtLimit: undefined } as const
    const own = { ...command, sale: record, lines, policies: { ...policies, spendUntilMs: Number.POSITIVE_INFINITY } }
    const cause = { kind: 'return', causeId: command.receiptId, eventTimeMs: command.occurredAtMs }
    const { decision } = perform(set, stampsOf(item, cardId), own, cause)
    assert(decision.outcome.kind === 'return')
    keep(set, { ...stored, record: decision.outcome.sale })
  }
}

function keep(set: WorkingSet, stored: Parameters<typeof stampText>[0]): void {
  const text = stampText(stored)
  set.stamps.set(text, stored)
  set.changedStamps.add(text)
}

function stampsOf({ brand, memberId }: Item, cardId: string): AccountKey {
  return { brand, memberId, currency: stampCurrency(cardId) }
}
