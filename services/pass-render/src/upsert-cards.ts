import {
  invalidArgument,
  notFound,
  type OutboxMessage,
  type Sql,
  StampedeError,
  uuidv7,
  writeOutbox,
} from '@stampede/platform'
import type { Context } from './context.ts'
import {
  type BrandView,
  type CardState,
  DEFAULT_TEMPLATE_ID,
  type DetailsView,
  emptyAccount,
  type MemberView,
} from './domain/card.ts'
import { checkValues } from './domain/details.ts'
import { pickTemplate } from './domain/rules.ts'
import { passEvent } from './events.ts'
import { announceChanges, type CardChange, cardState, googleObject, shownDesigns } from './jobs/announce.ts'
import { takeNumbers } from './store/brand-state.ts'
import {
  type AccountUpdate,
  insertPasses,
  type LockedCard,
  lockCards,
  type NewPass,
  saveAccounts,
} from './store/cards.ts'
import { lockOwnCards, type OwnCardUpdate, saveOwnCards } from './store/own-cards.ts'
import { findPublications } from './store/publications.ts'
import { detailsBytes } from './store/rows.ts'
import { findRules } from './store/rules.ts'

/** A checked request to make or change a card. */
export interface CardWish {
  /** coupon: nobody's in particular. */
  readonly kind: 'card' | 'coupon'
  readonly cardNumber: string
  /** Empty: the rules decide. */
  readonly templateId: string
  readonly details: DetailsView
  readonly points: bigint
  /** Empty: the template's. */
  readonly locale: string
  /** stampede.events.v1.CampaignMessage; undefined leaves the present one. */
  readonly message: Buffer | undefined
  /** 0: newer than whatever is stored. */
  readonly version: bigint
  readonly marketingConsent: boolean
}

/** What became of a wish. */
export type CardOutcome =
  | { readonly ok: true; readonly ownerId: string; readonly created: boolean; readonly changed: boolean }
  | { readonly ok: false; readonly error: StampedeError }

/** A wish with the card that it is about; `index` is its place in the batch. */
interface Item {
  readonly index: number
  readonly wish: CardWish
  readonly ownerId: string
  readonly card: LockedCard
  readonly templateId: string
}

/**
 * Makes and changes cards in one transaction. Wishes fail one by one; of several for one card the caller sends the later
 * ones in later batches. What is the same already changes nothing and wakes nobody.
 */
export async function upsertCards(
  context: Context,
  brand: BrandView,
  wishes: readonly CardWish[],
): Promise<readonly CardOutcome[]> {
  const outcomes = await context.database.transaction((tx) => upsertAll(context, tx, brand, wishes))
  context.relay.wake()
  return outcomes
}

async function upsertAll(
  context: Context,
  tx: Sql,
  brand: BrandView,
  wishes: readonly CardWish[],
): Promise<readonly CardOutcome[]> {
  const now = context.clock.now()
  const outcomes = new Map<number, CardOutcome>()
  const items = await lockItems(tx, brand.brand, wishes, now)
  const allowed: Item[] = []
  for (const item of items) {
    const error = await refusal(context, tx, brand.brand, item)
    if (error === undefined) allowed.push(item)
    else outcomes.set(item.index, { ok: false, error })
  }
  const created = allowed.filter((item) => item.card.pass === undefined)
  const changed = allowed.filter((item) => item.card.pass !== undefined && isNews(item))
  if (created.length > 0) await createCards(context, tx, brand, created, now)
  if (changed.length > 0) await changeCards(context, tx, brand, changed, now)
  for (const { index, ownerId, card } of allowed) {
    const isNew = card.pass === undefined
    outcomes.set(index, {
      ok: true,
      ownerId,
      created: isNew,
      changed: isNew || changed.some((item) => item.index === index),
    })
  }
  return wishes.map((_, index) => outcomes.get(index) ?? { ok: false, error: notFound() })
}

async function lockItems(tx: Sql, brand: string, wishes: readonly CardWish[], now: Date): Promise<readonly Item[]> {
  const owners = await lockOwnCards(
    tx,
    brand,
    wishes.map((wish) => wish.cardNumber),
  )
  const ownerIds = wishes.map((wish) => owners.get(wish.cardNumber) ?? uuidv7(now.getTime()))
  const cards = new Map((await lockCards(tx, brand, ownerIds)).map((card) => [card.memberId, card]))
  const { rules } = await findRules(tx, brand)
  return wishes.flatMap((wish, index) => {
    const ownerId = ownerIds[index] ?? ''
    const card = cards.get(ownerId)
    if (card === undefined) return []
    const picked = wish.templateId === '' ? pickTemplate(rules, wish.details) : wish.templateId
    const templateId = picked ?? card.pass?.templateId ?? DEFAULT_TEMPLATE_ID
    return [{ index, wish, ownerId, card, templateId }]
  })
}

async function refusal(
  context: Context,
  tx: Sql,
  brand: string,
  { wish, templateId }: Item,
): Promise<StampedeError | undefined> {
  const [publication] = await findPublications(tx, brand, [templateId])
  const ready = await context.designs.get(brand, templateId, publication?.stableVersion ?? 0)
  if (ready === undefined) {
    return new StampedeError('NOT_FOUND', `the template ${templateId} is not published`, { field: 'template_id' })
  }
  try {
    checkValues(wish.details, ready.template.values, 'details')
    return undefined
  } catch (error) {
    if (error instanceof StampedeError) return error
    throw error
  }
}

/** Whether the wish is newer than what is stored and says something else. */
function isNews({ wish, card, templateId }: Item): boolean {
  const { pass, account } = card
  if (pass === undefined) return true
  if (wish.version !== 0n && wish.version <= pass.detailsVersion) return false
  const sameMessage = wish.message === undefined || pass.ownMessage?.equals(wish.message) === true
  const { locale, marketingConsent } = pass.member
  return !(
    sameMessage &&
    pass.templateId === templateId &&
    detailsBytes(pass.details).equals(detailsBytes(wish.details)) &&
    account.available === wish.points &&
    locale === wish.locale &&
    marketingConsent === wish.marketingConsent
  )
}

function versionOf({ wish, card }: Item): bigint {
  return wish.version === 0n ? (card.pass?.detailsVersion ?? 0n) + 1n : wish.version
}

async function changeCards(
  context: Context,
  tx: Sql,
  brand: BrandView,
  items: readonly Item[],
  now: Date,
): Promise<void> {
  await saveAccounts(tx, brand.brand, items.flatMap(accountUpdate))
  const updates = items.map((item): OwnCardUpdate => {
    const { details, locale, marketingConsent, message } = item.wish
    const { ownerId, templateId } = item
    return {
      ownerId,
      templateId,
      details,
      detailsVersion: versionOf(item),
      locale,
      marketingConsent,
      ownMessage: message,
    }
  })
  await saveOwnCards(tx, brand.brand, updates, now)
  await announceChanges(context, tx, brand, items.flatMap(cardChange), now)
}

function accountUpdate({ wish, ownerId, card }: Item): readonly AccountUpdate[] {
  if (card.account.available === wish.points) return []
  const account = { ...card.account, available: wish.points }
  return [{ memberId: ownerId, version: card.accountVersion + 1n, account }]
}

function cardChange(item: Item): readonly CardChange[] {
  const { card, wish, templateId } = item
  const { pass } = card
  if (pass === undefined) return []
  const before = cardState(card, pass)
  const { details, locale, marketingConsent, points } = wish
  const after: CardState = {
    ...before,
    member: { ...pass.member, locale, marketingConsent },
    account: { ...before.account, available: points },
    details,
  }
  const sourcesVersion = pass.memberVersion + versionOf(item) + card.accountVersion + 1n + card.relevanceVersion
  const isNewMessage = wish.message !== undefined && pass.ownMessage?.equals(wish.message) !== true
  return [{ pass, before, after, sourcesVersion, templateIdAfter: templateId, isNewMessage }]
}

async function createCards(
  context: Context,
  tx: Sql,
  brand: BrandView,
  items: readonly Item[],
  now: Date,
): Promise<void> {
  const first = await takeNumbers(tx, brand.brand, items.length)
  const numbers = items.map(({ templateId }, index) => ({ no: first + BigInt(index), templateId }))
  const designOf = await shownDesigns(context, tx, brand.brand, numbers)
  const messages: OutboxMessage[] = []
  const passes = items.map((item, index): NewPass => {
    const { ownerId, templateId, wish } = item
    const serial = uuidv7(now.getTime())
    const no = first + BigInt(index)
    const googleIssued = brand.googleIssuerId !== ''
    const issued = {
      memberId: '',
      serial,
      no,
      cardNumber: wish.cardNumber,
      devices: 0,
      googleObject: googleIssued,
      googleSaved: false,
    }
    messages.push(passEvent(brand.brand, issued, 1n, now))
    const state = newState(item)
    const sourcesVersion = versionOf(item) + 1n
    messages.push(
      ...googleObject(brand, designOf({ no, templateId }), { serial, templateId, state, sourcesVersion }, now),
    )
    const authToken = context.secrets.newAuthToken(brand.brand, serial)
    const { kind, member, details } = state
    const detailsVersion = versionOf(item)
    return {
      no,
      serial,
      authToken,
      kind,
      templateId,
      memberVersion: 0n,
      member: { ...member, memberId: ownerId },
      details,
      detailsVersion,
    }
  })
  await saveAccounts(tx, brand.brand, items.flatMap(accountUpdate))
  await insertPasses(tx, brand.brand, passes, now)
  const withMessage = items.filter((item) => item.wish.message !== undefined)
  if (withMessage.length > 0) {
    await saveOwnCards(
      tx,
      brand.brand,
      withMessage.map((item) => {
        const { details, locale, marketingConsent, message } = item.wish
        const { ownerId, templateId } = item
        return {
          ownerId,
          templateId,
          details,
          detailsVersion: versionOf(item),
          locale,
          marketingConsent,
          ownMessage: message,
        }
      }),
      now,
    )
  }
  await writeOutbox(tx, messages)
}

function newState({ wish, ownerId }: Item): CardState {
  const member: MemberView = {
    memberId: ownerId,
    cardNumber: wish.cardNumber,
    status: 'active',
    locale: wish.locale,
    marketingConsent: wish.marketingConsent,
    sealedName: undefined,
  }
  const account = { ...emptyAccount, available: wish.points }
  return { kind: wish.kind, member, account, relevance: { places: [], beacons: [] }, details: wish.details }
}

/** The wish behind a request; throws INVALID_ARGUMENT naming the field. */
export function checkCardNumber(cardNumber: string, field = 'card_number'): string {
  if (!/^[A-Za-z0-9-]{1,40}$/.test(cardNumber)) {
    throw invalidArgument(field, 'must be 1 to 40 characters of A-Z, a-z, 0-9 and -')
  }
  return cardNumber
}
