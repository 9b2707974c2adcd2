import type { BrandView } from '../card.ts'
import type { Style } from '../design.ts'

/** Types of passes at Google. */
export type PassType = 'loyalty' | 'offer' | 'giftCard' | 'generic' | 'eventTicket'

const typeOfStyle: Readonly<Record<Style, PassType>> = {
  store_card: 'loyalty',
  coupon: 'offer',
  gift_card: 'giftCard',
  generic: 'generic',
  event: 'eventTicket',
}

/** What a template's cards are at Google; a template keeps its style, so they stay that. */
export function passTypeOf(style: Style): PassType {
  return typeOfStyle[style]
}

/** The template that a card shows, as far as Google's ids depend on it. */
export interface GoogleTemplate {
  readonly templateId: string
  readonly passType: PassType
}

/**
 * Id of the class of a template's cards. Ids are for ever at Google, so their shape carries a version. All store cards
 * of a brand share one: an object cannot be moved to another class, and a card goes from template to template as its
 * member goes from tier to tier. What differs between them is on the object. The other types have a class per template,
 * which holds their title.
 */
export function googleClassId(brand: BrandView, { templateId, passType }: GoogleTemplate): string {
  const head = `${brand.googleIssuerId}.${brand.brand}`
  return passType === 'loyalty' ? `${head}.v1` : `${head}.${passType}.${templateId}.v1`
}

/** Id of a pass's object: of another type or another class than loyalty's it is another object. */
export function googleObjectId(brand: BrandView, { templateId, passType }: GoogleTemplate, serial: string): string {
  const head = `${brand.googleIssuerId}.${brand.brand}`
  return passType === 'loyalty' ? `${head}.${serial}` : `${head}.${passType}.${templateId}.${serial}`
}

const ownTail =
  /^(?:(?:offer|giftCard|generic|eventTicket)\.[a-z0-9-]{1,40}\.)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** The serial in an object's id; undefined when the object is not this brand's. */
export function googleObjectSerial(brand: BrandView, objectId: string): string | undefined {
  const head = `${brand.googleIssuerId}.${brand.brand}.`
  return objectId.startsWith(head) ? ownTail.exec(objectId.slice(head.length))?.[1] : undefined
}
