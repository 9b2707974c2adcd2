import { type BrandView, type CardState, isOpen } from '../card.ts'
import { type BarcodeName, type Design, type DesignField, inLanguage, localeOf } from '../design.ts'
import { composePattern, type PatternValues, placesOf } from '../pattern.ts'
import { cardValues } from '../values.ts'
import { googleClassId, googleObjectId, passTypeOf } from './ids.ts'
import { colour, image, localized } from './parts.ts'

/** Places that one object may carry. */
const MAX_MERCHANT_LOCATIONS = 10
/** Text modules of one object; Google draws the first ones. */
const MAX_TEXT_MODULES = 10
/** Micros of a minor unit with two digits; Google counts money in millionths of the major unit. */
const MICROS = 1_000_000n

const barcodeTypes: Readonly<Record<BarcodeName, string>> = {
  qr: 'QR_CODE',
  pdf417: 'PDF_417',
  aztec: 'AZTEC',
  code128: 'CODE_128',
  ean13: 'EAN_13',
  code39: 'CODE_39',
  codabar: 'CODABAR',
  i2of5: 'ITF_14',
}

/** What an object is made of. */
export interface ObjectParts {
  readonly design: Design
  readonly templateId: string
  readonly state: CardState
  readonly serial: string
}

/** An object in the making. */
interface Making extends ObjectParts {
  readonly brand: BrandView
  readonly locale: string
  readonly values: PatternValues
}

/** A card's object as JSON. Never the member's name: it leaves our hands only on the member's own phone. */
export function googleObjectJson(brand: BrandView, parts: ObjectParts): string {
  const { design, templateId, state, serial } = parts
  const passType = passTypeOf(design.style)
  const locale = localeOf(design, state.member.locale)
  const nameless = { name: '', message: '' }
  const making = { ...parts, brand, locale, values: cardValues(state, brand, nameless, design.values, locale) }
  return JSON.stringify({
    id: googleObjectId(brand, { templateId, passType }, serial),
    classId: googleClassId(brand, { templateId, passType }),
    state: stateName(state),
    ...ownOf(making),
    ...barcodeOf(making),
    ...smartTapOf(making),
    ...validityOf(making),
    ...contentsOf(making),
    merchantLocations: placesAround(making),
  })
}

/** Cards are never deleted at Google: they end as what they came to. */
function stateName({ member, details }: CardState): string {
  if (member.status !== 'active' || details.lifecycle === 'blocked') return 'INACTIVE'
  if (details.lifecycle === 'used') return 'COMPLETED'
  return details.lifecycle === 'open' ? 'ACTIVE' : 'EXPIRED'
}

function ownOf(making: Making): object {
  const { brand, design, state } = making
  const { account, member } = state
  const isErased = member.status === 'erased'
  switch (passTypeOf(design.style)) {
    case 'loyalty': {
      const identity = isErased ? {} : { accountId: member.cardNumber }
      return { ...identity, loyaltyPoints: pointsOf(making), ...tierOf(making) }
    }
    case 'giftCard': {
      // Demanded, also of a card that nobody may use any more.
      const cardNumber = isErased ? '-' : member.cardNumber
      return { cardNumber, balance: moneyOf(account.available, account.currency || brand.currency) }
    }
    case 'generic': {
      const title = design.logoText === '' ? brand.name : design.logoText
      const [primary] = fieldsOf(making, ['primaryFields'])
      return {
        cardTitle: localized(brand.name, design.language),
        header: localized(primary === undefined || primary.body === '' ? title : primary.body, making.locale),
        hexBackgroundColor: colour(design.backgroundColor),
        ...(design.googleLogoUrl === '' ? {} : { logo: image(design.googleLogoUrl, `${brand.name} logo`) }),
        ...(design.googleHeroUrl === '' ? {} : { heroImage: image(design.googleHeroUrl, brand.name) }),
      }
    }
    case 'offer':
    case 'eventTicket':
      return {}
  }
}

/** The tier in the second place of the face, and its picture. */
function tierOf({ design, state, brand }: Making): object {
  const tier = design.tiers.find((item) => item.tier === state.details.tier)
  if (tier === undefined || state.member.status === 'erased') return {}
  return {
    secondaryLoyaltyPoints: { label: tier.label, balance: { string: tier.name } },
    ...(tier.heroUrl === '' ? {} : { heroImage: image(tier.heroUrl, `${brand.name} ${tier.name}`) }),
  }
}

/** The balance under the label that the design gives it. */
function pointsOf({ design, state, locale }: Making): { readonly label: string; readonly balance: object } {
  const said = inLanguage(design, locale)
  const fields = [...said.fields.headerFields, ...said.fields.primaryFields, ...said.fields.secondaryFields]
  const label = fields.find((field) => field.numberPlace === 'points')?.label ?? ''
  return { label: label === '' ? 'Points' : label, balance: pointsBalance(state.account.available) }
}

// int is 32 bits wide at Google; a larger balance goes as text.
function pointsBalance(points: bigint): { readonly int: number } | { readonly string: string } {
  const fits = points <= 2_147_483_647n && points >= -2_147_483_648n
  return fits ? { int: Number(points) } : { string: points.toString() }
}

function moneyOf(minor: bigint, currency: string): object {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  return { currencyCode: currency, micros: (minor * (MICROS / 10n ** BigInt(digits))).toString() }
}

function barcodeOf({ design, state, values, locale }: Making): object {
  const [format] = design.barcodes
  const value = composePattern(design.barcodeValue, values, locale)
  if (format === undefined || value === '' || !isOpen(state)) return {}
  const said = inLanguage(design, locale).barcodeText
  const alternateText = said === undefined ? value : composePattern(said, values, locale)
  return { barcode: { type: barcodeTypes[format], value, alternateText } }
}

function smartTapOf({ design, state, values, locale }: Making): object {
  if (design.nfc === undefined || !isOpen(state)) return {}
  const value = composePattern(design.nfc.message, values, locale)
  return /^[\x20-\x7e]{1,64}$/.test(value) ? { smartTapRedemptionValue: value } : {}
}

function validityOf({ design, state }: Making): object {
  const end = state.details.validUntil ?? design.expiresAt
  return end === undefined ? {} : { validTimeInterval: { end: { date: end.toISOString() } } }
}

/** What Apple's front shows, and the links: Google has rows of text and a list of links for them. */
function contentsOf(making: Making): object {
  const { design, state, locale, values } = making
  if (state.member.status === 'erased') return {}
  const isGeneric = passTypeOf(design.style) === 'generic'
  const primary = isGeneric ? [] : (['primaryFields'] as const)
  const texts = fieldsOf(making, ['headerFields', ...primary, 'secondaryFields', 'auxiliaryFields'])
  const textModulesData = texts.filter(({ body }) => body !== '').slice(0, MAX_TEXT_MODULES)
  const uris = inLanguage(design, locale).links.map(({ url, label }, index) => {
    return { id: `link_${index + 1}`, uri: composePattern(url, values, locale), description: label }
  })
  return {
    ...(textModulesData.length === 0 ? {} : { textModulesData }),
    ...(uris.length === 0 ? {} : { linksModuleData: { uris } }),
  }
}

interface TextModule {
  readonly id: string
  readonly header: string
  readonly body: string
}

type Group = 'headerFields' | 'primaryFields' | 'secondaryFields' | 'auxiliaryFields'

/** Fields in the card's language; what shows a name or a message is left out, and so is the balance that has a place. */
function fieldsOf({ design, locale, values }: Making, groups: readonly Group[]): readonly TextModule[] {
  const said = inLanguage(design, locale)
  const isLoyalty = passTypeOf(design.style) === 'loyalty'
  return groups
    .flatMap((group) => said.fields[group])
    .filter((field) => isPublic(field) && !(isLoyalty && field.numberPlace === 'points'))
    .map((field) => ({ id: field.key, header: field.label, body: composePattern(field.value, values, locale) }))
}

function isPublic({ value }: DesignField): boolean {
  const places = placesOf(value)
  return !places.has('name') && !places.has('message')
}

function placesAround({ design, state }: Making): readonly object[] {
  return [...state.relevance.places, ...design.places]
    .slice(0, MAX_MERCHANT_LOCATIONS)
    .map(({ latitude, longitude }) => ({ latitude, longitude }))
}
