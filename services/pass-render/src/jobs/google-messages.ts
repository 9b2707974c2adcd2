import { createHash } from 'node:crypto'
import { type Logger, type OutboxMessage, planGoogleMessage, type Sql } from '@stampede/platform'
import type { CampaignMessage, LocalizedText } from '@stampede/proto/events/v1'
import type { BrandView } from '../domain/card.ts'
import { genericText } from '../domain/generic-message.ts'
import { type GoogleTemplate, googleClassId, googleObjectId } from '../domain/google/index.ts'
import { textFor } from '../domain/values.ts'
import { GOOGLE_MESSAGE_SECONDS, googleMessage } from '../events.ts'
import type { Meters } from '../metrics.ts'
import type { StoredBump } from '../store/bumps.ts'
import {
  countGoogleHolders,
  decideGoogleMode,
  findGoogleMode,
  type GoogleHolder,
  type GoogleMode,
  googleHeldTemplates,
  googleHolders,
} from '../store/google-holders.ts'

/** Calls per second that Google grants an issuer who did not ask for more. */
const GOOGLE_CALLS_PER_SECOND = 20

/** What planning a message needs. */
export interface GooglePlanContext {
  readonly meters: Pick<Meters, 'googleLeftOver'>
  readonly logger: Pick<Logger, 'warn'>
}

/** A campaign's message on its way to Google's holders. */
export interface GoogleCampaign {
  readonly campaignId: string
  readonly message: CampaignMessage
  /** As campaigns says: nobody of the brand was held back. */
  readonly coversEverybody: boolean
}

/**
 * Decides how a campaign reaches Google's holders, when its first chunk comes; says what will not fit into the quota.
 * A class has one text, so a campaign in several languages goes to objects.
 */
export async function planForGoogle(
  context: GooglePlanContext,
  tx: Sql,
  brand: BrandView,
  { campaignId, message, coversEverybody }: GoogleCampaign,
): Promise<GoogleMode | undefined> {
  if (brand.googleIssuerId === '') return undefined
  const known = await findGoogleMode(tx, brand.brand, campaignId)
  if (known !== undefined) return known
  const wantsClass = coversEverybody && message.texts.length === 1
  const target = await decideGoogleMode(tx, brand.brand, campaignId, wantsClass)
  const holders = await countGoogleHolders(tx, brand.brand)
  const plan = planGoogleMessage({
    target,
    holders,
    perSecond: GOOGLE_CALLS_PER_SECOND,
    withinSeconds: GOOGLE_MESSAGE_SECONDS,
  })
  context.meters.googleLeftOver.inc({ brand: brand.brand }, plan.remainder)
  if (!plan.fits) {
    context.logger.warn(
      { brand: brand.brand, campaignId, holders, ...plan },
      'Google’s quota is too small for a campaign',
    )
  }
  return target
}

/** A bump on its way to Google. */
export interface GoogleBump extends Pick<StoredBump, 'messageId' | 'index' | 'base' | 'bitmap'> {
  readonly texts: readonly LocalizedText[]
  readonly mode: GoogleMode
}

/**
 * Messages to the holders of a bump, by language and class. They say nothing personal: a sentence with a name or a
 * balance is left out, and a language in which nothing else is said gets none. To a class it is one, and the first row
 * brings it to each class that has holders. Made again, they have the same ids. `templateOf`: what a template's cards
 * are at Google.
 */
export async function bumpGoogleMessages(
  sql: Sql,
  brand: BrandView,
  bump: GoogleBump,
  templateOf: (templateId: string) => Promise<GoogleTemplate>,
  now: Date,
): Promise<readonly OutboxMessage[]> {
  if (bump.mode === 'class') return await classMessages(sql, brand, bump, templateOf, now)
  const { messageId, index, base, bitmap, texts } = bump
  const holders = await googleHolders(sql, brand.brand, base, bitmap)
  const placed: PlacedHolder[] = []
  for (const [templateId, held] of Map.groupBy(holders, (holder) => holder.template_id)) {
    const template = await templateOf(templateId)
    placed.push(...held.map((holder) => ({ ...holder, template })))
  }
  const messages: OutboxMessage[] = []
  for (const ofClass of Map.groupBy(placed, ({ template }) => googleClassId(brand, template)).values()) {
    for (const [text, members] of Map.groupBy(ofClass, ({ locale }) => textFor(texts, locale))) {
      const body = bodyOf(text, brand)
      const [first] = members
      if (text === undefined || first === undefined || body === '') continue
      const id = `${messageId}-${index}-${texts.indexOf(text)}${tailOf(first.template)}`
      const objectIds = members.map(({ serial, template }) => googleObjectId(brand, template, serial))
      messages.push(googleMessage(brand, { ...newsOf(brand, bump, first.template), id, objectIds, body }, now))
    }
  }
  return messages
}

interface PlacedHolder extends GoogleHolder {
  readonly template: GoogleTemplate
}

async function classMessages(
  sql: Sql,
  brand: BrandView,
  bump: GoogleBump,
  templateOf: (templateId: string) => Promise<GoogleTemplate>,
  now: Date,
): Promise<readonly OutboxMessage[]> {
  const body = bump.index === 0 ? bodyOf(bump.texts[0], brand) : ''
  if (body === '') return []
  const messages = new Map<string, OutboxMessage>()
  for (const templateId of await googleHeldTemplates(sql, brand.brand)) {
    const template = await templateOf(templateId)
    const id = `${bump.messageId}-all${tailOf(template)}`
    // Store cards of many templates have one class, and it gets one message.
    messages.set(id, googleMessage(brand, { ...newsOf(brand, bump, template), id, objectIds: [], body }, now))
  }
  return [...messages.values()]
}

function newsOf(brand: BrandView, { messageId }: GoogleBump, template: GoogleTemplate) {
  const { passType } = template
  return { campaignId: messageId, passType, classId: googleClassId(brand, template), header: brand.name }
}

/** What tells messages to different classes apart in their ids; nothing for store cards. */
function tailOf({ passType, templateId }: GoogleTemplate): string {
  return passType === 'loyalty' ? '' : `-${createHash('sha256').update(templateId).digest('hex').slice(0, 8)}`
}

function bodyOf(text: LocalizedText | undefined, brand: BrandView): string {
  return text === undefined ? '' : genericText(text.text, brand, text.locale === '' ? 'en' : text.locale)
}
