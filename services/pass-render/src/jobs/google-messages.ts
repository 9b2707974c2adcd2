import { type Logger, type OutboxMessage, planGoogleMessage, type Sql } from '@stampede/platform'
import type { CampaignMessage, LocalizedText } from '@stampede/proto/events/v1'
import type { BrandView } from '../domain/card.ts'
import { genericText } from '../domain/generic-message.ts'
import { googleClassId, googleObjectId } from '../domain/google.ts'
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

/**
 * Messages to the holders of a bump, by language. They say nothing personal: a sentence with a name or a balance is left
 * out, and a language in which nothing else is said gets none. To a class it is one, and the first row brings it.
 * Made again, they have the same ids.
 */
export async function bumpGoogleMessages(
  sql: Sql,
  brand: BrandView,
  bump: Pick<StoredBump, 'messageId' | 'index' | 'base' | 'bitmap'>,
  { texts }: CampaignMessage,
  mode: GoogleMode,
  now: Date,
): Promise<readonly OutboxMessage[]> {
  const { messageId, index, base, bitmap } = bump
  const shared = { campaignId: messageId, classId: googleClassId(brand), header: brand.name }
  if (mode === 'class') {
    const body = index === 0 ? bodyOf(texts[0], brand) : ''
    return body === '' ? [] : [googleMessage(brand, { ...shared, id: `${messageId}-all`, objectIds: [], body }, now)]
  }
  const holders = await googleHolders(sql, brand.brand, base, bitmap)
  const groups = Map.groupBy(holders, ({ locale }) => textFor(texts, locale))
  return [...groups].flatMap(([text, members]) => {
    const body = bodyOf(text, brand)
    if (text === undefined || body === '') return []
    const id = `${messageId}-${index}-${texts.indexOf(text)}`
    const objectIds = members.map(({ serial }: GoogleHolder) => googleObjectId(brand, serial))
    return [googleMessage(brand, { ...shared, id, objectIds, body }, now)]
  })
}

function bodyOf(text: LocalizedText | undefined, brand: BrandView): string {
  return text === undefined ? '' : genericText(text.text, brand, text.locale === '' ? 'en' : text.locale)
}
