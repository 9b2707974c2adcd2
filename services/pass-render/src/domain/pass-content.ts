import type { PassField, PassFields, PassJson } from '@stampede/pkpass'
import { type BrandView, type CardState, isOpen } from './card.ts'
import {
  barcodeFormats,
  CONTACT_FIELD_KEY,
  type Design,
  type DesignField,
  type FieldGroup,
  fieldGroups,
  MESSAGE_FIELD_KEY,
} from './design.ts'
import { composePattern, type PatternValues, placesOf } from './pattern.ts'
import { cardValues, type Shown } from './values.ts'

/** Points beyond this are sent as text: a JSON number could not hold them exactly. */
const MAX_JSON_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)

/** What makes one pass's pass.json. */
export interface PassContent {
  readonly design: Design
  readonly brand: BrandView
  readonly state: CardState
  readonly serial: string
  readonly shown: Shown
}

/** Address and secret that let the phone come back. */
export interface WebService {
  readonly url: string
  readonly authenticationToken: string
}

/** pass.json of a card, without the web service; add it with withWebService before signing. */
export function passJson(content: PassContent): PassJson {
  const { brand, design, state } = content
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
    ...(design.logoText === '' ? {} : { logoText: design.logoText }),
    ...(isOpen(state) ? {} : { voided: true }),
    storeCard: passFields(content),
    ...barcodesOf(content),
    ...relevanceOf(state),
  }
}

/** Adds what the phone needs to come back. */
export function withWebService(pass: PassJson, service: WebService): PassJson {
  return { ...pass, webServiceURL: service.url, authenticationToken: service.authenticationToken }
}

function colour(value: number): string {
  return `rgb(${value >> 16}, ${(value >> 8) & 255}, ${value & 255})`
}

function passFields({ design, brand, state, shown }: PassContent): PassFields {
  const values = cardValues(state, brand, shown, design.values)
  const compose = (group: FieldGroup) =>
    design.fields[group].map((field) => passField(field, values, state.member.locale))
  const back = [...compose('backFields'), ...addedBackFields(design, brand, shown)]
  return {
    headerFields: compose('headerFields'),
    primaryFields: compose('primaryFields'),
    secondaryFields: compose('secondaryFields'),
    auxiliaryFields: compose('auxiliaryFields'),
    backFields: back,
  }
}

function passField(field: DesignField, values: PatternValues, locale: string): PassField {
  const number = field.numberPlace === undefined ? undefined : values.number(field.numberPlace)
  const exact = number !== undefined && number <= MAX_JSON_NUMBER && number >= -MAX_JSON_NUMBER
  return {
    key: field.key,
    value: exact ? Number(number) : composePattern(field.value, values, locale),
    ...(field.label === '' ? {} : { label: field.label }),
    ...(field.changeMessage === '' ? {} : { changeMessage: field.changeMessage }),
  }
}

// The message field is there even while it is empty: a phone announces the change of a field, not a new one.
function addedBackFields(design: Design, brand: BrandView, shown: Shown): readonly PassField[] {
  const added: PassField[] = []
  if (!uses(design, 'message') && !hasKey(design, MESSAGE_FIELD_KEY)) {
    added.push({ key: MESSAGE_FIELD_KEY, label: brand.name, value: shown.message, changeMessage: '%@' })
  }
  if (!uses(design, 'contact') && !hasKey(design, CONTACT_FIELD_KEY) && brand.contact !== '') {
    added.push({ key: CONTACT_FIELD_KEY, label: brand.name, value: brand.contact })
  }
  return added
}

function uses(design: Design, place: string): boolean {
  return fieldGroups.some((group) => design.fields[group].some((field) => placesOf(field.value).has(place)))
}

function hasKey(design: Design, key: string): boolean {
  return fieldGroups.some((group) => design.fields[group].some((field) => field.key === key))
}

function barcodesOf({ design, state }: PassContent): Pick<PassJson, 'barcodes'> {
  const message = state.member.cardNumber
  if (design.barcodes.length === 0 || message === '' || !isOpen(state)) return {}
  return {
    barcodes: design.barcodes.map((name) => ({
      format: barcodeFormats[name],
      message,
      messageEncoding: 'iso-8859-1',
      altText: message,
    })),
  }
}

function relevanceOf({ relevance }: CardState): Pick<PassJson, 'locations' | 'beacons'> {
  const locations = relevance.places.slice(0, 10).map((place) => ({
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
  return { ...(locations.length === 0 ? {} : { locations }), ...(beacons.length === 0 ? {} : { beacons }) }
}
