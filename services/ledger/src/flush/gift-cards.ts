import assert from 'node:assert/strict'
import { type BrandInfo, invalidArgument, type Sql, type StampedeError } from '@stampede/platform'
import { settledCard } from '../domain/gift-cards/books.ts'
import {
  commitCardHold,
  freeOf,
  type GiftCard,
  type GiftCardRefusal,
  giveBackToCard,
  payByCard,
} from '../domain/gift-cards/card.ts'
import {
  moneyOfLines,
  returnEntries,
  returnedParts,
  saleEntries,
  spreadPayments,
} from '../domain/gift-cards/payments.ts'
import { cardGraceEnd } from '../domain/gift-cards/rules.ts'
import { isOwnPin, missNames, type ShownGiftCard } from '../domain/gift-cards/shown.ts'
import { type MoneyPosting, moneyPosting } from '../domain/money.ts'
import type { SaleRecord } from '../domain/sale.ts'
import { sum } from '../domain/shares.ts'
import { giftCardError, giftCardInvalid, tooManyMisses } from '../gift-card-refusals.ts'
import { lockGiftCards, readCardIds, type StoredGiftCard } from '../store/gift-cards/cards.ts'
import { readCardPayments, type StoredCardPayment, writeCardPayments } from '../store/gift-cards/payments.ts'
import { saveGiftCards } from '../store/gift-cards/save.ts'
import { brandIdText } from '../store/keys.ts'
import type { BrandMoneyPosting } from '../store/money.ts'
import type { Item, ItemRequest } from './item.ts'
import type { WorkingSet } from './working-set.ts'

type SaleRequest = Extract<ItemRequest, { kind: 'sale' }>

/** Gift cards in work: those that pay for sales of the items, and those that returned sales give back to. */
export interface WorkingGiftCards {
  /** By brand and id. */
  readonly cards: Map<string, StoredGiftCard>
  /** Ids by brand and code. */
  readonly ids: ReadonlyMap<string, string>
  /** By brand and receipt. */
  readonly payments: Map<string, readonly StoredCardPayment[]>
  readonly changed: Set<string>
  readonly changedPayments: Set<string>
  readonly postings: BrandMoneyPosting[]
}

/** Money that went from or to a card. */
export interface CardShare {
  readonly cardId: string
  readonly amountMinor: bigint
  /** Money on it that is free after that. */
  readonly availableMinor: bigint
}

/** What a sale or return will change of gift cards; prepared before it is posted, as it may be refused. */
export interface GiftCardPlan {
  readonly cards: readonly StoredGiftCard[]
  readonly payments: readonly StoredCardPayment[]
  readonly postings: readonly MoneyPosting[]
  readonly shares: readonly CardShare[]
}

/** Locks and reads the gift cards of the items; their accounts are locked already. */
export async function loadGiftCards(tx: Sql, items: readonly Item[]): Promise<WorkingGiftCards> {
  const codes = items.flatMap(({ brand, request }) =>
    request.kind === 'sale' ? request.giftCardPayments.map(({ code }) => ({ brand, code })) : [],
  )
  const holds = items.flatMap(({ brand, request }) =>
    request.kind === 'sale'
      ? request.giftCardPayments.flatMap(({ holdId: id }) => (id === '' ? [] : [{ brand, id }]))
      : [],
  )
  const returned = items.flatMap(({ brand, request }) =>
    request.kind === 'return' ? [{ brand, id: request.saleId }] : [],
  )
  const named = await readCardIds(tx, codes)
  const payments = await readCardPayments(tx, returned)
  const paid = payments.map(({ brand, payment }) => ({ brand, id: payment.cardId }))
  const cards = await lockGiftCards(tx, [...named, ...paid], holds)
  // Read before the locks, but changed only by those who have locked the sale's account, as we have.
  return {
    cards: new Map(cards.map((stored) => [brandIdText(stored.brand, stored.card.cardId), stored])),
    ids: new Map(named.map(({ brand, code, id }) => [brandIdText(brand, code), id])),
    payments: Map.groupBy(payments, ({ brand, receiptId }) => brandIdText(brand, receiptId)),
    changed: new Set(),
    changedPayments: new Set(),
    postings: [],
  }
}

/** Plans what gift cards pay of a sale; throws what keeps one from it, by its place. */
export function planPayments(
  set: WorkingSet,
  item: Item,
  request: SaleRequest,
  sale: SaleRecord,
): GiftCardPlan | undefined {
  const asked = request.giftCardPayments
  if (asked.length === 0) return undefined
  const { brand } = item
  const money = sum(moneyOfLines(sale))
  if (sum(asked.map(({ amountMinor }) => amountMinor)) > money) {
    throw invalidArgument('gift_card_payments', `only ${money} are left to pay`)
  }
  const { receiptId } = sale
  const cards: StoredGiftCard[] = []
  const postings: MoneyPosting[] = []
  for (const [index, { code, pin, amountMinor, holdId }] of asked.entries()) {
    const field = `gift_card_payments[${index}].code`
    const shown = { brand, code, pin, storeId: request.storeId }
    const stored = shownCard(set, shown, { field, isHeld: holdId !== '' })
    const settled = settledCard(stored.card, set.nowMs)
    const paid =
      holdId === ''
        ? payByCard(settled.card, amountMinor)
        : commitCardHold(settled.card, holdId, { amountMinor, receiptId })
    if ('ok' in paid) throw refusal(set, shown, paid, field)
    // What a hold gives back to a card that has ended meanwhile ends at once.
    const after = settledCard(paid, set.nowMs)
    cards.push({ ...stored, card: after.card })
    postings.push(...settled.postings, ...after.postings)
  }
  const paying = asked.map(({ amountMinor }, index) => ({ cardId: cards[index]?.card.cardId ?? '', amountMinor }))
  const payments = spreadPayments(sale, paying, request.tender)
  const entries = saleEntries(sale, payments)
  const { number: reference, occurredAtMs } = request
  postings.push(moneyPosting({ kind: 'gift_use', causeId: receiptId, reference, occurredAtMs, entries }))
  return {
    cards,
    payments: payments.map((payment, position) => ({ brand, receiptId, position, payment })),
    postings,
    shares: paying.map((one, index) => ({ ...one, availableMinor: availableOf(cards[index]?.card) })),
  }
}

/** Plans what a return gives back to the gift cards that have paid for the sale. */
export function planGiveBack(
  set: WorkingSet,
  { timeZone, brand }: BrandInfo,
  before: SaleRecord,
  back: { readonly after: SaleRecord; readonly returnId: string; readonly occurredAtMs: number },
): GiftCardPlan | undefined {
  const stored = set.giftCards.payments.get(brandIdText(brand, before.receiptId))
  if (stored === undefined) return undefined
  const payments = stored.map(({ payment }) => payment)
  const parts = returnedParts(payments, before.lines, back.after.lines)
  const cards = new Map<string, StoredGiftCard>()
  const postings: MoneyPosting[] = []
  const shares: CardShare[] = []
  for (const [index, { cardId }] of payments.entries()) {
    const amountMinor = parts[index] ?? 0n
    if (amountMinor === 0n) continue
    const target = liveCard(set, brand, cardId)
    const settled = settledCard(cards.get(target.card.cardId)?.card ?? target.card, set.nowMs)
    const card = giveBackToCard(settled.card, amountMinor, cardGraceEnd(set.nowMs, timeZone))
    cards.set(card.cardId, { ...target, card })
    postings.push(...settled.postings)
    shares.push({ cardId: card.cardId, amountMinor, availableMinor: availableOf(card) })
  }
  const targets = payments.map(({ cardId }) => liveCard(set, brand, cardId).card.cardId)
  const { returnId: causeId, occurredAtMs } = back
  const entries = returnEntries(before, back.after, { payments, cards: targets })
  postings.push(moneyPosting({ kind: 'gift_return', causeId, reference: '', occurredAtMs, entries }))
  const returned = stored.map((one, index) => {
    const returnedMinor = one.payment.returnedMinor + (parts[index] ?? 0n)
    return { ...one, payment: { ...one.payment, returnedMinor } }
  })
  return { cards: [...cards.values()], payments: returned, postings, shares }
}

/** Takes a plan over: its sale or return is posted. */
export function takeGiftCards({ giftCards }: WorkingSet, brand: string, saleId: string, plan: GiftCardPlan): void {
  for (const stored of plan.cards) {
    const text = brandIdText(stored.brand, stored.card.cardId)
    giftCards.cards.set(text, stored)
    giftCards.changed.add(text)
  }
  const text = brandIdText(brand, saleId)
  giftCards.payments.set(text, plan.payments)
  giftCards.changedPayments.add(text)
  giftCards.postings.push(...plan.postings.map((posting) => ({ brand, posting })))
}

/** Writes what became of the gift cards. */
export async function writeWorkingGiftCards(tx: Sql, { giftCards, brands, nowMs }: WorkingSet): Promise<void> {
  if (giftCards.changedPayments.size === 0) return
  const cards = [...giftCards.changed].flatMap((text) => giftCards.cards.get(text) ?? [])
  const currencyOf = (brand: string) => brands.get(brand)?.currency ?? ''
  await Promise.all([
    saveGiftCards(tx, { cards, postings: giftCards.postings }, new Date(nowMs), currencyOf),
    writeCardPayments(
      tx,
      [...giftCards.changedPayments].flatMap((text) => giftCards.payments.get(text) ?? []),
    ),
  ])
}

/** The card that somebody shows at a till; a wrong code or PIN is counted. A hold was shown the PIN. */
function shownCard(
  set: WorkingSet,
  shown: ShownGiftCard,
  { field, isHeld }: { readonly field: string; readonly isHeld: boolean },
): StoredGiftCard {
  if (set.misses.isExhausted(missNames(shown), set.nowMs)) throw tooManyMisses(field)
  const id = set.giftCards.ids.get(brandIdText(shown.brand, shown.code))
  const stored = id === undefined ? undefined : set.giftCards.cards.get(brandIdText(shown.brand, id))
  if (stored !== undefined && (isHeld || isOwnPin(stored.card, shown.pin))) return stored
  set.misses.miss(missNames(shown), set.nowMs)
  throw giftCardInvalid(field)
}

function refusal(set: WorkingSet, shown: ShownGiftCard, refused: GiftCardRefusal, field: string): StampedeError {
  if (refused.reason === 'invalid') set.misses.miss(missNames(shown), set.nowMs)
  return giftCardError(refused, field)
}

/** A card, or the one that took its place. */
function liveCard(set: WorkingSet, brand: string, cardId: string): StoredGiftCard {
  const stored = set.giftCards.cards.get(brandIdText(brand, cardId))
  assert(stored !== undefined, 'cards that paid for returned sales were loaded with those that took their places')
  const { replacedBy } = stored.card
  return replacedBy === undefined ? stored : liveCard(set, brand, replacedBy)
}

function availableOf(card: GiftCard | undefined): bigint {
  return card === undefined || card.state !== 'active' ? 0n : freeOf(card)
}
