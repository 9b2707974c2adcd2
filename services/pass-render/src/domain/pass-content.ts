import type { PassField, PassFields, PassJson, RelevantDate } from '@stampede/pkpass'
import { type BrandView, type CardState, isOpen } from './card.ts'
import {
  barcodeFormats,
  CONTACT_FIELD_KEY,
  type Design,
  type DesignField,
  type FieldGroup,
  fieldGroups,
  inLanguage,
  type LocalizedDesign,
  localeOf,
  MESSAGE_FIELD_KEY,
} from './design.ts'
import { composePattern, formatDay, type PatternValues, placesOf } from './pattern.ts'
import { cardValues, type Shown } from './values.ts'

/** Points beyond this are sent as text: a JSON number could not hold them exactly. */
const MAX_JSON_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)
/** Places that one pass may carry; Apple's limit. */
const MAX_LOCATIONS = 10
/** Fields of a poster's face. */
const MAX_POSTER_FIELDS = 4
const MAX_NFC_BYTES = 64

const styleKeys = {
  store_card: 'storeCard',
  coupon: 'coupon',
  generic: 'generic',
  // Wallet has no gift card of its own: it draws one as a store card.
  gift_card: 'storeCard',
  event: 'eventTicket',
} as const

/** What makes one pass's pass.json. */
export interface PassContent {
  readonly design: Design
  readonly brand: BrandView
  readonly state: CardState
  readonly serial: string
  readonly shown: Shown
  /** Whether the brand's certificate may sign what readers are given; without it that is left out. */
  readonly allowsNfc: boolean
}

/** Address and secret that let the phone come back. */
export interface WebService {
  readonly url: string
  readonly authenticationToken: string
}

/** A pass in the making: the design in the card's language, and the values of its patterns. */
interface Making extends PassContent {
  readonly said: LocalizedDesign
  readonly locale: string
  readonly values: PatternValues
}

/** pass.json of a card, without the web service; add it with withWebService before signing. */
export function passJson(content: PassContent): PassJson {
  const { brand, design, state } = content
  const locale = localeOf(design, state.member.locale)
  const values = cardValues(state, brand, content.shown, design.values, locale)
  const making: Making = { ...content, said: inLanguage(design, locale), locale, values }
  return {
    formatVersion: 1,
    passTypeIdentifier: brand.passTypeId,
    teamIdentifier: brand.teamId,
    serialNumber: content.serial,
    organizationName: brand.name,
    description: `${brand.name} card`,
    backgroundColor: colour(design.backgroundColor),
    foregroundColor: colour(design.foregroundColor),
    labelColor: colour(design.labelColor),
    ...(making.said.logoText === '' ? {} : { logoText: making.said.logoText }),
    ...(isOpen(state) ? {} : { voided: true }),
    ...(design.isSharingProhibited ? { sharingProhibited: true } : {}),
    ...stylesOf(making),
    ...barcodesOf(making),
    ...nfcOf(making),
    ...relevanceOf(making),
    ...timesOf(making),
  }
}

/** Adds what the phone needs to come back. */
export function withWebService(pass: PassJson, service: WebService): PassJson {
  return { ...pass, webServiceURL: service.url, authenticationToken: service.authenticationToken }
}

function colour(value: number): string {
  return `rgb(${value >> 16}, ${(value >> 8) & 255}, ${value & 255})`
}

function stylesOf(making: Making): Partial<PassJson> {
  const { design } = making
  const fields = passFields(making)
  const classic = { [styleKeys[design.style]]: fields }
  if (!design.isPoster) return classic
  if (design.style === 'event') return { ...classic, preferredStyleSchemes: ['posterEventTicket', 'eventTicket'] }
  const { headerFields = [], primaryFields = [], secondaryFields = [], auxiliaryFields = [], backFields = [] } = fields
  const face = [...primaryFields, ...secondaryFields, ...auxiliaryFields].slice(0, MAX_POSTER_FIELDS)
  return { ...classic, posterGeneric: { headerFields: headerFields.slice(0, 1), primaryFields: face, backFields } }
}

function passFields(making: Making): PassFields {
  const { said } = making
  const compose = (group: FieldGroup) => said.fields[group].map((field) => passField(field, making))
  return {
    headerFields: compose('headerFields'),
    primaryFields: compose('primaryFields'),
    secondaryFields: compose('secondaryFields'),
    auxiliaryFields: compose('auxiliaryFields'),
    backFields: [...compose('backFields'), ...linkFields(making), ...addedFields(making)],
  }
}

function passField(field: DesignField, { values, locale }: Making): PassField {
  const number = field.numberPlace === undefined ? undefined : values.number(field.numberPlace)
  const isExact = number !== undefined && number <= MAX_JSON_NUMBER && number >= -MAX_JSON_NUMBER
  const { key, label, changeMessage } = field
  return {
    key,
    value: isExact ? Number(number) : composePattern(field.value, values, locale),
    ...(label === '' ? {} : { label }),
    ...(changeMessage === undefined ? {} : { changeMessage: composePattern(changeMessage, values, locale) }),
  }
}

function linkFields({ said, values, locale }: Making): readonly PassField[] {
  return said.links.map(({ url, label }, index) => {
    const address = composePattern(url, values, locale)
    const attributedValue = `<a href="${escapeMarkup(address)}">${escapeMarkup(label)}</a>`
    return { key: `link_${index + 1}`, value: address, attributedValue }
  })
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

// The message field is there even while it is empty: a phone announces the change of a field, not a new one.
function addedFields(making: Making): readonly PassField[] {
  const { design, said, brand, shown } = making
  const added: PassField[] = []
  const own = ownOf(said)
  if (!own.places.has('message') && !own.keys.has(MESSAGE_FIELD_KEY)) {
    added.push({ key: MESSAGE_FIELD_KEY, label: brand.name, value: shown.message, changeMessage: '%@' })
  }
  for (const [index, { at, text }] of (shown.history ?? []).slice(0, design.messageHistory).entries()) {
    const label = formatDay(at, making.locale, brand.timeZone)
    added.push({ key: `history_${index + 1}`, label, value: text })
  }
  if (!own.places.has('contact') && !own.keys.has(CONTACT_FIELD_KEY) && brand.contact !== '') {
    added.push({ key: CONTACT_FIELD_KEY, label: brand.name, value: brand.contact })
  }
  return added
}

/** What a design asks for and names itself; the same for all its cards. */
interface Own {
  readonly places: ReadonlySet<string>
  readonly keys: ReadonlySet<string>
}

const ownByDesign = new WeakMap<LocalizedDesign, Own>()

function ownOf(said: LocalizedDesign): Own {
  const known = ownByDesign.get(said)
  if (known !== undefined) return known
  const fields = fieldGroups.flatMap((group) => said.fields[group])
  const places = new Set(fields.flatMap((field) => [...placesOf(field.value)]))
  const own = { places, keys: new Set(fields.map(({ key }) => key)) }
  ownByDesign.set(said, own)
  return own
}

/** What the barcode says; empty when it says nothing. */
export function barcodeMessage(content: Pick<PassContent, 'design' | 'brand' | 'state' | 'shown'>): string {
  const { design, brand, state, shown } = content
  const locale = localeOf(design, state.member.locale)
  return composePattern(design.barcodeValue, cardValues(state, brand, shown, design.values, locale), locale)
}

function barcodesOf({ design, state, said, values, locale }: Making): Pick<PassJson, 'barcodes'> {
  const message = composePattern(design.barcodeValue, values, locale)
  if (design.barcodes.length === 0 || message === '' || !isOpen(state)) return {}
  const altText = said.barcodeText === undefined ? message : composePattern(said.barcodeText, values, locale)
  const isLatin = !/[^\u0020-\u00ff]/.test(message)
  const messageEncoding = isLatin ? 'iso-8859-1' : 'utf-8'
  return {
    barcodes: design.barcodes.map((name) => ({ format: barcodeFormats[name], message, messageEncoding, altText })),
  }
}

function nfcOf({ design, state, allowsNfc, values, locale }: Making): Pick<PassJson, 'nfc'> {
  if (design.nfc === undefined || !allowsNfc || !isOpen(state)) return {}
  const message = composePattern(design.nfc.message, values, locale)
  // A message that Wallet would cut off is worse than none.
  if (message === '' || Buffer.byteLength(message) > MAX_NFC_BYTES) return {}
  const { encryptionPublicKey, requiresAuthentication } = design.nfc
  return { nfc: { message, encryptionPublicKey, ...(requiresAuthentication ? { requiresAuthentication } : {}) } }
}

function relevanceOf({ design, state }: Making): Pick<PassJson, 'locations' | 'beacons' | 'maxDistance'> {
  const { relevance } = state
  const places = [...relevance.places, ...design.places].slice(0, MAX_LOCATIONS)
  const locations = places.map((place) => ({
    latitude: place.latitude,
    longitude: place.longitude,
    ...(place.relevantText === '' ? {} : { relevantText: place.relevantText }),
  }))
  const beacons = relevance.beacons.slice(0, 10).map((beacon) => ({
    proximityUUID: beacon.proximityUuid,
    ...(beacon.major === undefined ? {} : { major: beacon.major }),
    ...(beacon.minor === undefined ? {} : { minor: beacon.minor }),
    ...(beacon.relevantText === '' ? {} : { relevantText: beacon.relevantText }),
  }))
  return {
    ...(locations.length === 0 ? {} : { locations }),
    ...(beacons.length === 0 ? {} : { beacons }),
    ...(design.maxDistanceMeters === 0 ? {} : { maxDistance: design.maxDistanceMeters }),
  }
}

function timesOf({ design, state }: Making): Pick<PassJson, 'expirationDate' | 'relevantDates' | 'relevantDate'> {
  const expires = state.details.validUntil ?? design.expiresAt
  const { startsAt, endsAt } = design
  return {
    ...(expires === undefined ? {} : { expirationDate: expires.toISOString() }),
    ...(startsAt === undefined || endsAt === undefined ? {} : relevantTimes(startsAt, endsAt)),
  }
}

// Up to iOS 17 only the single moment is read.
function relevantTimes(startsAt: Date, endsAt: Date): { relevantDates: readonly RelevantDate[]; relevantDate: string } {
  const startDate = startsAt.toISOString()
  return { relevantDates: [{ startDate, endDate: endsAt.toISOString() }], relevantDate: startDate }
}
