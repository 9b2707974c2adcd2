import { PkpassError } from './errors.ts'
import type { PassJson } from './pass-json.ts'
import { checkBarcode, checkBarcodes } from './validate-barcodes.ts'
import { checkFieldGroups } from './validate-fields.ts'
import { checkNfc } from './validate-nfc.ts'
import {
  asArray,
  asNumber,
  asObject,
  asText,
  checkDate,
  checkFlag,
  fail,
  type Json,
  onlyKeys,
  optional,
} from './validate-values.ts'

/** Apple's firm limit of places on one pass. */
export const MAX_LOCATIONS = 10
/** Apple states no limit for beacons; ten is what secondary sources agree on. */
export const MAX_BEACONS = 10
/** Apple's archived format reference asks for at least this many characters. */
export const MIN_AUTHENTICATION_TOKEN_CHARS = 16

/** Most actions that are shown. */
export const MAX_FEATURED_ACTIONS = 2
/** Own bound of times around which a pass is shown. */
export const MAX_RELEVANT_DATES = 10
/** Own bound of userInfo, in characters of JSON. */
export const MAX_USER_INFO_CHARS = 16 * 1024

const classicStyles = ['storeCard', 'coupon', 'generic', 'eventTicket'] as const
const topKeys: ReadonlySet<string> = new Set([
  'formatVersion',
  'passTypeIdentifier',
  'serialNumber',
  'teamIdentifier',
  'organizationName',
  'description',
  ...classicStyles,
  'posterGeneric',
  'preferredStyleSchemes',
  'logoText',
  'backgroundColor',
  'foregroundColor',
  'labelColor',
  'barcode',
  'barcodes',
  'locations',
  'beacons',
  'maxDistance',
  'webServiceURL',
  'authenticationToken',
  'expirationDate',
  'voided',
  'sharingProhibited',
  'suppressStripShine',
  'associatedStoreIdentifiers',
  'appLaunchURL',
  'userInfo',
  'nfc',
  'relevantDates',
  'relevantDate',
  'featuredActions',
  'semantics',
  'groupingIdentifier',
])
const locationKeys: ReadonlySet<string> = new Set(['latitude', 'longitude', 'altitude', 'relevantText'])
const beaconKeys: ReadonlySet<string> = new Set(['proximityUUID', 'major', 'minor', 'relevantText'])
const relevantDateKeys: ReadonlySet<string> = new Set(['date', 'relevantDate', 'startDate', 'endDate'])
const actionKeys: ReadonlySet<string> = new Set(['identifier', 'type', 'url'])
const actionTypes: ReadonlySet<string> = new Set([
  'membershipBenefits',
  'viewOffersRewards',
  'addToBalance',
  'order',
  'shop',
  'bookAppointment',
  'call',
  'place',
  'viewSchedule',
  'watchTrailer',
  'listenToMusic',
  'bookCar',
  'bookFlight',
  'bookStay',
])
/** Own bound of apps that a pass names. */
const MAX_STORE_IDS = 10
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const colourPattern = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/

/** Checks the documented keys of a pass.json; throws a PkpassError that names the first wrong path. */
export function validatePassJson(value: unknown): PassJson {
  const pass = asObject(value, 'pass.json')
  onlyKeys(pass, topKeys)
  checkIdentity(pass)
  checkStyle(pass)
  for (const key of ['backgroundColor', 'foregroundColor', 'labelColor']) optional(pass, key, checkColour)
  optional(pass, 'barcode', checkBarcode)
  optional(pass, 'barcodes', checkBarcodes)
  optional(pass, 'locations', checkLocations)
  optional(pass, 'beacons', checkBeacons)
  optional(pass, 'logoText', (text, path) => asText(text, path, 0))
  optional(pass, 'maxDistance', (distance, path) => asNumber(distance, path, 0, Number.MAX_SAFE_INTEGER))
  optional(pass, 'expirationDate', checkDate)
  optional(pass, 'relevantDate', checkDate)
  optional(pass, 'relevantDates', checkRelevantDates)
  optional(pass, 'nfc', checkNfc)
  optional(pass, 'featuredActions', checkFeaturedActions)
  optional(pass, 'semantics', asObject)
  for (const key of ['voided', 'sharingProhibited', 'suppressStripShine']) optional(pass, key, checkFlag)
  checkApp(pass)
  checkWebService(pass)
  return value as PassJson
}

function checkIdentity(pass: Json): void {
  if (pass['formatVersion'] !== 1) fail('formatVersion', 'must be the number 1')
  if (!/^pass\.[A-Za-z0-9.-]+$/.test(asText(pass['passTypeIdentifier'], 'passTypeIdentifier'))) {
    fail('passTypeIdentifier', 'must begin with pass. and a reverse domain')
  }
  if (!/^[A-Z0-9]{10}$/.test(asText(pass['teamIdentifier'], 'teamIdentifier'))) {
    fail('teamIdentifier', 'must be ten capital letters or digits')
  }
  for (const key of ['serialNumber', 'organizationName', 'description']) asText(pass[key], key)
}

function checkStyle(pass: Json): void {
  const present = classicStyles.filter((style) => pass[style] !== undefined)
  const style = present[0]
  if (style === undefined || present.length > 1) {
    const message = `exactly one of ${classicStyles.join(', ')} is demanded`
    throw new PkpassError('INVALID_PASS', present[1] ?? 'storeCard', message)
  }
  checkFieldGroups(asObject(pass[style], style), style)
  optional(pass, 'posterGeneric', (fields, path) => {
    if (style === 'eventTicket') fail(path, 'stands beside storeCard, coupon or generic only')
    checkFieldGroups(asObject(fields, path), path)
  })
  optional(pass, 'preferredStyleSchemes', (schemes, path) => {
    if (style !== 'eventTicket') fail(path, 'is for event tickets only')
    for (const [index, scheme] of asArray(schemes, path, 1, 2).entries()) {
      if (scheme !== 'posterEventTicket' && scheme !== 'eventTicket')
        fail(`${path}[${index}]`, 'must be posterEventTicket or eventTicket')
    }
  })
  optional(pass, 'groupingIdentifier', (text, path) => {
    if (style !== 'eventTicket') fail(path, 'is for event tickets only')
    asText(text, path)
  })
}

function checkColour(value: unknown, path: string): void {
  const match = colourPattern.exec(asText(value, path))
  if (!match?.slice(1).every((part) => Number(part) <= 255)) fail(path, 'must read rgb(r, g, b) with parts of 0 to 255')
}

function checkLocations(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 0, MAX_LOCATIONS).entries()) {
    const here = `${path}[${index}]`
    const place = asObject(item, here)
    onlyKeys(place, locationKeys, here)
    optional(place, 'altitude', (value, name) => asNumber(value, name, -10_000, 100_000), here)
    asNumber(place['latitude'], `${here}.latitude`, -90, 90)
    asNumber(place['longitude'], `${here}.longitude`, -180, 180)
    optional(place, 'relevantText', (text, name) => asText(text, name, 0), here)
  }
}

function checkBeacons(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 0, MAX_BEACONS).entries()) {
    const here = `${path}[${index}]`
    const beacon = asObject(item, here)
    onlyKeys(beacon, beaconKeys, here)
    if (!uuidPattern.test(asText(beacon['proximityUUID'], `${here}.proximityUUID`))) {
      fail(`${here}.proximityUUID`, 'must be a UUID')
    }
    for (const key of ['major', 'minor']) {
      optional(beacon, key, (part, name) => asNumber(part, name, 0, 65_535, true), here)
    }
    optional(beacon, 'relevantText', (text, name) => asText(text, name, 0), here)
  }
}

function checkRelevantDates(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 1, MAX_RELEVANT_DATES).entries()) {
    const here = `${path}[${index}]`
    const entry = asObject(item, here)
    onlyKeys(entry, relevantDateKeys, here)
    for (const key of relevantDateKeys) optional(entry, key, checkDate, here)
    const { date, relevantDate, startDate, endDate } = entry
    if ((startDate === undefined) !== (endDate === undefined)) {
      fail(`${here}.${startDate === undefined ? 'startDate' : 'endDate'}`, 'must come with its counterpart')
    }
    const hasMoment = date !== undefined || relevantDate !== undefined
    if (hasMoment === (startDate !== undefined)) fail(here, 'must be a date, or a startDate and an endDate')
    if (startDate !== undefined && Date.parse(String(startDate)) >= Date.parse(String(endDate))) {
      fail(`${here}.endDate`, 'must be later than startDate')
    }
  }
}

function checkFeaturedActions(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 1, MAX_FEATURED_ACTIONS).entries()) {
    const here = `${path}[${index}]`
    const action = asObject(item, here)
    onlyKeys(action, actionKeys, here)
    asText(action['identifier'], `${here}.identifier`)
    if (!actionTypes.has(asText(action['type'], `${here}.type`))) fail(`${here}.type`, 'is no known action')
    if (!URL.canParse(asText(action['url'], `${here}.url`))) fail(`${here}.url`, 'must be an address')
  }
}

function checkApp(pass: Json): void {
  optional(pass, 'associatedStoreIdentifiers', (ids, path) => {
    for (const [index, id] of asArray(ids, path, 1, MAX_STORE_IDS).entries()) {
      asNumber(id, `${path}[${index}]`, 1, Number.MAX_SAFE_INTEGER, true)
    }
  })
  optional(pass, 'appLaunchURL', (url, path) => {
    if (pass['associatedStoreIdentifiers'] === undefined)
      fail(path, 'must come together with associatedStoreIdentifiers')
    if (!URL.canParse(asText(url, path))) fail(path, 'must be an address')
  })
  optional(pass, 'userInfo', (info, path) => {
    const text: unknown = JSON.stringify(info)
    if (typeof text !== 'string' || text.length > MAX_USER_INFO_CHARS) {
      fail(path, `must be JSON of at most ${MAX_USER_INFO_CHARS} characters`)
    }
  })
}

function checkWebService(pass: Json): void {
  const url = pass['webServiceURL']
  const token = pass['authenticationToken']
  if (url === undefined && token === undefined) return
  if (url === undefined) fail('webServiceURL', 'must come together with authenticationToken')
  if (token === undefined) fail('authenticationToken', 'must come together with webServiceURL')
  if (!/^https:\/\/\S+$/.test(asText(url, 'webServiceURL'))) fail('webServiceURL', 'must be an https address')
  asText(token, 'authenticationToken', MIN_AUTHENTICATION_TOKEN_CHARS)
}
