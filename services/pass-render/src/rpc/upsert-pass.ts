import { checkBigint, checkBrand, checkText, notFound } from '@stampede/platform'
import { CampaignMessage } from '@stampede/proto/events/v1'
import type { UpsertPassRequest, UpsertPassResponse } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { checkDetails } from '../domain/details.ts'
import { findPassByOwner } from '../store/passes.ts'
import { type CardOutcome, type CardWish, checkCardNumber, upsertCards } from '../upsert-cards.ts'
import { installFields } from './install-fields.ts'
import { checkMessageText } from './message-text.ts'
import { passMessage } from './pass-message.ts'
import { checkTemplateId } from './template-message.ts'

/** Most points that a card can show. */
export const MAX_POINTS = 9_000_000_000_000_000_000n
const MAX_LOCALE_CHARS = 35

/** Makes or changes the card of a customer who lives elsewhere. */
export async function upsertPass(context: Context, request: UpsertPassRequest): Promise<UpsertPassResponse> {
  const brand = knownBrand(context, request.brand)
  const [outcome] = await upsertCards(context, brand, [cardWish(request)])
  return await upsertAnswer(context, brand, outcome)
}

/** The brand of a request; NOT_FOUND when there is none. */
export function knownBrand(context: Context, slug: string): BrandView {
  const brand = context.brands.get(checkBrand(slug))
  if (brand === undefined) throw notFound()
  return brand
}

/** The answer to one wish; throws its error. */
export async function upsertAnswer(
  context: Context,
  brand: BrandView,
  outcome: CardOutcome | undefined,
): Promise<UpsertPassResponse> {
  if (outcome === undefined) throw notFound()
  if (!outcome.ok) throw outcome.error
  const record = await findPassByOwner(context.database, brand.brand, outcome.ownerId)
  if (record === undefined) throw notFound()
  const pass = await passMessage(context, brand, record)
  const { created, changed } = outcome
  return { pass, created, changed, ...installFields(context, record) }
}

/** A checked request; throws INVALID_ARGUMENT naming the field. */
export function cardWish(request: UpsertPassRequest): CardWish {
  const { details, message, version, marketingConsent = true } = request
  return {
    kind: 'card',
    cardNumber: checkCardNumber(request.cardNumber),
    templateId: request.templateId === '' ? '' : checkTemplateId(request.templateId),
    details: checkDetails(details, 'details'),
    points: checkBigint(details?.points ?? 0n, 'details.points', { min: -MAX_POINTS, max: MAX_POINTS }),
    locale: checkLocale(request.locale, 'locale'),
    message: message === '' ? undefined : ownMessage(message),
    version: checkBigint(version, 'version', { min: 0n, max: MAX_POINTS }),
    marketingConsent,
  }
}

/** BCP-47, or empty; throws INVALID_ARGUMENT naming the field. */
export function checkLocale(locale: string, field: string): string {
  return checkText(locale, field, { max: MAX_LOCALE_CHARS, pattern: /^[A-Za-z0-9-]*$/ })
}

function ownMessage(text: string): Buffer {
  const texts = [{ locale: '', text: checkMessageText(text, 'message') }]
  return Buffer.from(CampaignMessage.encode({ texts }).finish())
}
