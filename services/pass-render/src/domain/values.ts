import type { BrandView, CardState } from './card.ts'
import { type DesignValue, valuePlace } from './design-values.ts'
import { composePattern, formatDay, formatInteger, formatMoney, type PatternValues, parsedPattern } from './pattern.ts'

/** What patterns may show beyond the stored state. */
export interface Shown {
  /** First name; empty when it is unknown or its key could not be had. */
  readonly name: string
  /** The composed message; empty when none. */
  readonly message: string
  /** Messages before it, newest first. */
  readonly history?: readonly FormerMessage[]
}

/** A message that the card showed before. */
export interface FormerMessage {
  readonly at: Date
  readonly text: string
}

/** The values behind the places of a card's patterns. */
export function cardValues(
  state: CardState,
  brand: BrandView,
  shown: Shown,
  values: readonly DesignValue[] = [],
  locale = state.member.locale,
): PatternValues {
  const { account, details, member } = state
  return {
    text(name) {
      switch (name) {
        case 'name':
          return shown.name
        case 'card_number':
          return member.cardNumber
        case 'points':
          return formatInteger(account.available, locale)
        case 'points_money':
          return formatMoney(account.available, account.currency || brand.currency, locale)
        case 'next_expiry_points':
          return formatInteger(account.nextExpiryPoints, locale)
        case 'next_expiry_date':
          return account.nextExpiryAt === undefined ? '' : formatDay(account.nextExpiryAt, locale, brand.timeZone)
        case 'tier':
        case 'segment':
        case 'channel':
          return details[name]
        case 'valid_until':
          return details.validUntil === undefined ? '' : formatDay(details.validUntil, locale, brand.timeZone)
        case 'message':
          return shown.message
        case 'brand':
          return brand.name
        case 'contact':
          return brand.contact
        default:
          return ownValue(values, name, { state, brand, locale })
      }
    },
    number(name) {
      if (name === 'points' || name === 'points_money') return account.available
      if (name === 'next_expiry_points') return account.nextExpiryPoints
      const spec = values.find((item) => valuePlace(item) === name)
      return spec?.kind === 'integer' || spec?.kind === 'money' ? wholeNumber(textOf(spec, state)) : undefined
    },
  }
}

function textOf(spec: DesignValue, { details }: CardState): string {
  return details.values.get(spec.name) ?? spec.defaultValue
}

function wholeNumber(text: string): bigint | undefined {
  return /^-?\d{1,18}$/.test(text) ? BigInt(text) : undefined
}

/** A value of the card's own as the locale writes it; what is no number or date is shown as it is. */
function ownValue(
  values: readonly DesignValue[],
  name: string,
  { state, brand, locale }: { readonly state: CardState; readonly brand: BrandView; readonly locale: string },
): string | undefined {
  const spec = values.find((item) => valuePlace(item) === name)
  if (spec === undefined) return undefined
  const text = textOf(spec, state)
  const number = wholeNumber(text)
  if (spec.kind === 'integer' && number !== undefined) return formatInteger(number, locale)
  if (spec.kind === 'money' && number !== undefined) return formatMoney(number, spec.currency || brand.currency, locale)
  if (spec.kind !== 'date' || Number.isNaN(Date.parse(text))) return text
  // A bare day is that day everywhere.
  return formatDay(new Date(text), locale, text.length === 10 ? 'UTC' : brand.timeZone)
}

/** Texts of a message by locale; the first is the fallback. */
export interface MessageText {
  readonly locale: string
  readonly text: string
}

/** The text for a locale: of exactly this one, then of its language, then the first. */
export function textFor<Text extends MessageText>(texts: readonly Text[], locale: string): Text | undefined {
  const wanted = locale.toLowerCase()
  const language = wanted.split('-')[0] ?? ''
  return (
    texts.find((item) => item.locale.toLowerCase() === wanted) ??
    texts.find((item) => item.locale.toLowerCase().split('-')[0] === language) ??
    texts[0]
  )
}

/** Composes a campaign's message for a card. */
export function composeMessage(
  texts: readonly MessageText[],
  state: CardState,
  brand: BrandView,
  name: string,
): string {
  const text = textFor(texts, state.member.locale)
  if (text === undefined) return ''
  const parsed = parsedPattern(text.text)
  // The message was checked when its campaign was made; should it be broken all the same, its words are still shown.
  if (!parsed.ok) return text.text
  const locale = text.locale === '' ? state.member.locale : text.locale
  return composePattern(parsed.pattern, cardValues(state, brand, { name, message: '' }), locale)
}
