import { type BrandInfo, checkText, checkUuid, failedPrecondition, notFound, type Sql } from '@stampede/platform'
import type { LedgerContext } from '../../context.ts'
import { normalizeCode } from '../../domain/coupons/codes.ts'
import { settledCard } from '../../domain/gift-cards/books.ts'
import type { GiftCard, GiftCardRefusal } from '../../domain/gift-cards/card.ts'
import type { GiftCardRules } from '../../domain/gift-cards/rules.ts'
import { isOwnPin, missNames, type ShownGiftCard } from '../../domain/gift-cards/shown.ts'
import type { MoneyPosting } from '../../domain/money.ts'
import { type Programme, programmeAt } from '../../domain/programme.ts'
import { giftCardError, giftCardInvalid, tooManyMisses } from '../../gift-card-refusals.ts'
import { noProgramme } from '../../refusals.ts'
import { lockGiftCards, readCardIds, type StoredGiftCard } from '../../store/gift-cards/cards.ts'
import { readHoldCard } from '../../store/gift-cards/holds.ts'
import { saveGiftCards } from '../../store/gift-cards/save.ts'
import { brandOf, NUMBER_CHARACTERS_MAX } from '../checks.ts'

/** Characters of what a till calls a receipt or basket. */
export const REFERENCE_CHARACTERS = { min: 1, max: 128 }
/** Characters of a kind of tender. */
export const TENDER_CHARACTERS = { min: 1, max: 40 }

const CODE_CHARACTERS = { min: 4, max: NUMBER_CHARACTERS_MAX }

/** A card that is locked, after what time has done to it. */
export interface OpenCard {
  readonly stored: StoredGiftCard
  readonly card: GiftCard
  /** What time has done, to be saved with what is done now. */
  readonly postings: readonly MoneyPosting[]
}

/** Checks what all calls that show a card have in common. */
export function checkShown(
  context: Pick<LedgerContext, 'brands'>,
  request: { readonly brand: string; readonly code: string; readonly pin?: string; readonly storeId: string },
): { readonly info: BrandInfo; readonly shown: ShownGiftCard } {
  const info = brandOf(context, request.brand)
  const shown = {
    brand: info.brand,
    code: normalizeCode(checkText(request.code, 'code', CODE_CHARACTERS)),
    pin: checkText(request.pin ?? '', 'pin', { max: NUMBER_CHARACTERS_MAX }),
    storeId: checkText(request.storeId, 'store_id', { max: NUMBER_CHARACTERS_MAX }),
  }
  return { info, shown }
}

/** How the brand's gift cards are now. */
export async function rulesNow(
  { programmes }: Pick<LedgerContext, 'programmes'>,
  sql: Sql,
  brand: string,
  nowMs: number,
): Promise<{ readonly programme: Programme; readonly rules: GiftCardRules }> {
  const programme = programmeAt((await programmes.of(sql, [brand])).get(brand) ?? [], nowMs)
  if (programme === undefined) throw noProgramme()
  if (programme.giftCards === undefined) throw failedPrecondition('the programme has no gift cards')
  return { programme, rules: programme.giftCards }
}

/** Finds the card that somebody shows, of those states; a miss is counted, and after too many of them nothing is looked up. */
export async function findShown(
  { misses }: Pick<LedgerContext, 'misses'>,
  shown: ShownGiftCard,
  { states, nowMs }: { readonly states: readonly GiftCard['state'][]; readonly nowMs: number },
  find: () => Promise<StoredGiftCard | undefined>,
): Promise<StoredGiftCard> {
  if (misses.isExhausted(missNames(shown), nowMs)) throw tooManyMisses('code')
  const stored = await find()
  const isTold = stored !== undefined && states.includes(stored.card.state) && isOwnPin(stored.card, shown.pin)
  if (isTold) return stored
  misses.miss(missNames(shown), nowMs)
  throw giftCardInvalid('code')
}

/** Locks the card that somebody shows in order to use it. */
export async function openShown(
  context: LedgerContext,
  tx: Sql,
  shown: ShownGiftCard,
  nowMs: number,
): Promise<OpenCard> {
  const lookedFor = { states: ['active', 'expired'], nowMs } as const
  return opened(await findShown(context, shown, lookedFor, () => lockByCode(tx, shown)), nowMs)
}

/** Locks the card that somebody shows in order to buy it; its PIN is still covered. */
export async function openUnsold(
  context: LedgerContext,
  tx: Sql,
  shown: ShownGiftCard,
  nowMs: number,
): Promise<OpenCard> {
  const find = async () => {
    const stored = await lockByCode(tx, shown)
    return stored && { ...stored, card: { ...stored.card, pin: '' } }
  }
  return opened(await findShown(context, shown, { states: ['issued'], nowMs }, find), nowMs)
}

/** Locks a card by its id, with the hold that is named; NOT_FOUND when there is none. */
export async function openById(
  tx: Sql,
  { brand, cardId, holdId }: { readonly brand: string; readonly cardId: string; readonly holdId?: string },
  nowMs: number,
): Promise<{ readonly own: OpenCard; readonly live: OpenCard }> {
  const holds = holdId === undefined ? [] : [{ brand, id: holdId }]
  const locked = await lockGiftCards(tx, [{ brand, id: cardId }], holds)
  const byId = new Map(locked.map((stored) => [stored.card.cardId, stored]))
  const own = byId.get(cardId)
  if (own === undefined) throw notFound()
  let live = own
  for (
    let next = byId.get(live.card.replacedBy ?? '');
    next !== undefined;
    next = byId.get(next.card.replacedBy ?? '')
  ) {
    live = next
  }
  return { own: opened(own, nowMs), live: opened(live, nowMs) }
}

/** Locks the card of a hold; NOT_FOUND when there is none. */
export async function openByHold(tx: Sql, brand: string, holdId: string, nowMs: number) {
  const cardId = await readHoldCard(tx, { brand, id: checkUuid(holdId, 'hold_id') })
  if (cardId === undefined) throw notFound()
  return openById(tx, { brand, cardId, holdId }, nowMs)
}

/** What a card does; throws what keeps it from that. */
export function done<Done extends object>(outcome: Done | GiftCardRefusal, field = 'code'): Done {
  if ('ok' in outcome) throw giftCardError(outcome as GiftCardRefusal, field)
  return outcome
}

/** Saves an open card as it is now, and what time did to it before and what does now; answers it as it is after that. */
export async function saveCard(
  tx: Sql,
  open: OpenCard,
  change: { readonly card: GiftCard; readonly postings: readonly MoneyPosting[]; readonly reason?: string },
  { info, now }: { readonly info: BrandInfo; readonly now: Date },
): Promise<GiftCard> {
  // What a hold gives back to a card that has ended meanwhile ends at once.
  const after = settledCard(change.card, now.getTime())
  const stored = { ...open.stored, card: after.card, reason: change.reason ?? open.stored.reason }
  const postings = [...open.postings, ...change.postings, ...after.postings]
  const changes = { cards: [stored], postings: postings.map((posting) => ({ brand: info.brand, posting })) }
  await saveGiftCards(tx, changes, now, () => info.currency)
  return after.card
}

async function lockByCode(tx: Sql, { brand, code }: ShownGiftCard): Promise<StoredGiftCard | undefined> {
  const ids = await readCardIds(tx, [{ brand, code }])
  const locked = await lockGiftCards(tx, ids)
  return locked.find(({ card }) => card.code === code)
}

function opened(stored: StoredGiftCard, nowMs: number): OpenCard {
  const { card, postings } = settledCard(stored.card, nowMs)
  return { stored, card, postings }
}
