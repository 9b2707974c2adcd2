import type { BrandView, CardState } from './card.ts'
import { composePattern, formatDay, formatInteger, formatMoney, type PatternValues, parsePattern } from './pattern.ts'

/** What patterns may show beyond the stored state. */
export interface Shown {
  /** First name; empty when it is unknown or its key could not be had. */
  readonly name: string
  /** The campaign's composed message; empty when none. */
  readonly message: string
}

/** The values behind the places of a card's patterns. */
export function cardValues(state: CardState, brand: BrandView, shown: Shown): PatternValues {
  const { account, member } = state
  const { locale } = member
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
        case 'message':
          return shown.message
        case 'brand':
          return brand.name
        case 'contact':
          return brand.contact
        default:
          return undefined
      }
    },
    number(name) {
      if (name === 'points' || name === 'points_money') return account.available
      return name === 'next_expiry_points' ? account.nextExpiryPoints : undefined
    },
  }
}

/** Texts of a message by locale; the first is the fallback. */
export interface MessageText {
  readonly locale: string
  readonly text: string
}

/** Composes a campaign's message for a card: exact locale, then language, then the first text. */
export function composeMessage(
  texts: readonly MessageText[],
  state: CardState,
  brand: BrandView,
  name: string,
): string {
  const wanted = state.member.locale.toLowerCase()
  const language = wanted.split('-')[0] ?? ''
  const text =
    texts.find((item) => item.locale.toLowerCase() === wanted) ??
    texts.find((item) => item.locale.toLowerCase().split('-')[0] === language) ??
    texts[0]
  if (text === undefined) return ''
  const parsed = parsePattern(text.text)
  // The message was checked when its campaign was made; should it be broken all the same, its words are still shown.
  if (!parsed.ok) return text.text
  const locale = text.locale === '' ? state.member.locale : text.locale
  return composePattern(parsed.pattern, cardValues(state, brand, { name, message: '' }), locale)
}
