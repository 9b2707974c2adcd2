import assert from 'node:assert/strict'
import { type BrandInfo, notFound } from '@stampede/platform'
import { activateAnswer, cancelAnswer, commitAnswer, holdAnswer, returnAnswer, saleAnswer } from '../answers.ts'
import type { Account } from '../domain/account.ts'
import { localDay, localTimeMs } from '../domain/calendar.ts'
import { programmeAtStore } from '../domain/coalition.ts'
import type { Command, Decision, Outcome } from '../domain/decide.ts'
import type { SaleRecord } from '../domain/sale.ts'
import { sum } from '../domain/shares.ts'
import { earnedTerm, lifeEnd, restoreEnd } from '../domain/terms.ts'
import { brandIdText, pointsOf } from '../store/keys.ts'
import { carriedTags } from './benefits.ts'
import { checkStore, settleCoalition } from './coalition.ts'
import { type CouponPlan, giveCouponsBack, planCoupons, shownCoupons, useCoupons } from './coupons.ts'
import { discountSale } from './discounts.ts'
import { type CardShare, type GiftCardPlan, planGiveBack, planPayments, takeGiftCards } from './gift-cards.ts'
import type { Item, ItemRequest } from './item.ts'
import { countOffline, offlineLeft } from './offline.ts'
import { type Applied, absorb, decideOver, programmeOf } from './perform.ts'
import { pricesOf, usePrices } from './prices.ts'
import { recordReceipt } from './record-receipt.ts'
import { returnStamps, type Stamped, shownCards, stampCards } from './stamps.ts'
import { businessDayOf, countDay, qualifyingOf, tierHundredths } from './tiers.ts'
import type { WorkingSet } from './working-set.ts'

type OwnKind = 'sale' | 'return' | 'hold' | 'commit' | 'cancel' | 'activate'
type OwnRequest = Extract<ItemRequest, { kind: OwnKind }>
type OwnCommand = Extract<Command, { kind: OwnKind }>

/** Does what is one command over one account: sales, returns, holds. */
export function applyCommand(set: WorkingSet, item: Item, request: OwnRequest, brand: BrandInfo): Applied {
  const command = toCommand(set, item, request, brand)
  const key = pointsOf(item)
  const causeId = causeIdOf(command)
  const eventTimeMs = 'occurredAtMs' in command ? command.occurredAtMs : set.nowMs
  const plan = planOf(set, item, request, command, brand)
  const performed = decideOver(set, key, command)
  const { decision, before } = performed
  const giftCards = planCards(set, item, request, command, decision, brand)
  const deltaAvailable = decision.account.available - before.available
  absorb(performed, { kind: kindOf(decision), causeId, eventTimeMs, deltaAvailable })
  const natural = recordReceipt(set, item, command, decision, brand, returnedTo(giftCards))
  count(set, item, command, decision, brand)
  if (command.kind === 'sale') usePrices(set, item, causeId, command.basket)
  if (plan !== undefined) useCoupons(set, plan, causeId)
  settleCoalition(set, command, decision, brand)
  countOffline(set, item, command, decision, brand)
  const { outcome } = decision
  if (giftCards !== undefined) takeGiftCards(set, brand.brand, saleIdOf(command), giftCards)
  if (outcome.kind === 'return' && isWhole(outcome.sale)) giveCouponsBack(set, brand, outcome.sale.receiptId)
  const stamped = command.kind === 'sale' ? stampCards(set, item, command, brand) : []
  if (command.kind === 'return') returnStamps(set, item, command)
  const cards = { stamped, giftCards: giftCards?.shares ?? [] }
  const response = encodeAnswer(command, outcome, performed.working.account, cards)
  return { response, causeId, ...(natural === undefined ? {} : { natural }) }
}

function planOf(
  set: WorkingSet,
  item: Item,
  request: OwnRequest,
  command: OwnCommand,
  brand: BrandInfo,
): CouponPlan | undefined {
  if (request.kind !== 'sale' || command.kind !== 'sale' || request.couponCodes.length === 0) return undefined
  return planCoupons(set, item, request, command.basket, brand)
}

function planCards(
  set: WorkingSet,
  item: Item,
  request: OwnRequest,
  command: OwnCommand,
  { outcome }: Decision,
  brand: BrandInfo,
): GiftCardPlan | undefined {
  if (request.kind === 'sale' && outcome.kind === 'sale') return planPayments(set, item, request, outcome.sale)
  if (command.kind !== 'return' || outcome.kind !== 'return') return undefined
  const { sale, receiptId: returnId, occurredAtMs } = command
  return planGiveBack(set, brand, sale, { after: outcome.sale, returnId, occurredAtMs })
}

/** Money that a return gives to gift cards instead of the customer. */
function returnedTo(plan: GiftCardPlan | undefined): bigint {
  return sum(plan?.shares.map(({ amountMinor }) => amountMinor) ?? [])
}

function saleIdOf(command: OwnCommand): string {
  return command.kind === 'return' ? command.sale.receiptId : causeIdOf(command)
}

function isWhole({ lines }: SaleRecord): boolean {
  return lines.every(({ returned, quantity }) => returned === quantity)
}

/** Counts a receipt for the member's tier, on the day of the sale. */
function count(set: WorkingSet, item: Item, command: OwnCommand, { outcome }: Decision, brand: BrandInfo): void {
  if (outcome.kind === 'sale' && command.kind === 'sale') {
    const gained = qualifyingOf(outcome.sale, command.programme)
    countDay(set, item, localDay(command.occurredAtMs, brand.timeZone), gained, brand)
  }
  if (outcome.kind === 'return' && command.kind === 'return') {
    const before = qualifyingOf(command.sale, command.policies)
    const after = qualifyingOf(outcome.sale, command.policies)
    const lost = {
      spendMinor: after.spendMinor - before.spendMinor,
      points: after.points - before.points,
      visits: after.visits - before.visits,
    }
    countDay(set, item, businessDayOf(command.sale.receiptId), lost, brand)
  }
}

function toCommand(set: WorkingSet, item: Item, request: OwnRequest, brand: BrandInfo): OwnCommand {
  switch (request.kind) {
    case 'sale': {
      const inForce = programmeOf(set, item.brand, request.occurredAtMs)
      checkStore(inForce, request.storeId)
      const programme = programmeAtStore(inForce, request.storeId)
      const tier = set.tiers.get(brandIdText(item.brand, item.memberId))
      const hundredths = tierHundredths(set, item, request.occurredAtMs, brand)
      const member = { state: tier?.state, days: [...(tier?.days.values() ?? [])] }
      const coupons = shownCoupons(set, item, request)
      const prices = pricesOf(set, item, request, programme, brand)
      const cards = shownCards(set, item, request, programme, brand)
      const { storeId, occurredAtMs, holdId, pointsToPay } = request
      const tags = carriedTags(set.benefits, item, request)
      return {
        kind: 'sale',
        storeId,
        occurredAtMs,
        holdId,
        pointsToPay,
        ...(request.isOffline ? { offlineLimit: offlineLeft(set, item, request, programme, brand) } : {}),
        basket: discountSale({ ...request, tags }, programme, member, {
          timeZone: brand.timeZone,
          coupons,
          prices,
          cards,
        }),
        receiptId: receiptIdOf(set, request.occurredAtMs, brand),
        programme,
        tierHundredths: hundredths,
        tags: new Set(tags),
        earnedTerm: earnedTerm(programme, request.occurredAtMs, brand.timeZone),
        slidesToMs: programme.life.isSliding
          ? lifeEnd(programme.life, request.occurredAtMs, brand.timeZone)
          : undefined,
      }
    }
    case 'return': {
      const sale = set.sales.get(brandIdText(item.brand, request.saleId))
      if (sale === undefined || sale.memberId !== item.memberId) throw notFound()
      const versions = set.programmes.get(item.brand) ?? []
      const policies = versions.find(({ version }) => version === sale.programmeVersion)
      assert(policies !== undefined, 'the version of a sale is never forgotten')
      return {
        kind: 'return',
        receiptId: receiptIdOf(set, request.occurredAtMs, brand),
        occurredAtMs: request.occurredAtMs,
        sale: sale.record,
        lines: request.lines,
        policies,
        graceExpiresAtMs: restoreEnd(policies, set.nowMs, brand.timeZone),
      }
    }
    case 'hold': {
      const programme = programmeOf(set, item.brand, set.nowMs)
      const seconds = request.ttlSeconds === 0 ? programme.holdSeconds : request.ttlSeconds
      const { points, reference } = request
      return { kind: 'hold', holdId: set.newId(), points, reference, expiresAtMs: set.nowMs + seconds * 1_000 }
    }
    case 'activate': {
      const programme = programmeOf(set, item.brand, set.nowMs)
      const endMs = lifeEnd(programme.life, set.nowMs, brand.timeZone)
      return { ...request, expiresAtMs: Math.min(endMs, programme.spendUntilMs) }
    }
    case 'commit':
    case 'cancel':
      return request
  }
}

/** The id of a receipt holds its local time, so that its business month can be read from it. */
function receiptIdOf(set: WorkingSet, occurredAtMs: number, { timeZone }: BrandInfo): string {
  return set.newId(Math.max(localTimeMs(occurredAtMs, timeZone), 0))
}

function causeIdOf(command: OwnCommand): string {
  switch (command.kind) {
    case 'sale':
    case 'return':
      return command.receiptId
    case 'hold':
    case 'commit':
    case 'cancel':
      return command.holdId
    case 'activate':
      return command.causeId
  }
}

function kindOf({ outcome }: Decision): string {
  if (outcome.kind !== 'sale') return outcome.kind
  return outcome.earned === 0n && outcome.spent > 0n ? 'spend' : 'earn'
}

function encodeAnswer(
  command: OwnCommand,
  outcome: Outcome,
  account: Account,
  cards: { readonly stamped: readonly Stamped[]; readonly giftCards: readonly CardShare[] },
): Uint8Array {
  switch (outcome.kind) {
    case 'sale':
      return saleAnswer(outcome, account, cards)
    case 'return':
      return returnAnswer(causeIdOf(command), outcome, account, cards.giftCards)
    case 'hold':
      assert(command.kind === 'hold')
      return holdAnswer(command.holdId, command.expiresAtMs, account)
    case 'commit':
      return commitAnswer(account)
    case 'cancel':
      return cancelAnswer(account)
    case 'activate':
      return activateAnswer(account)
    default:
      throw new assert.AssertionError({ message: 'a command has its own outcome' })
  }
}
