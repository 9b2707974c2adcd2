import { PkpassError } from './errors.ts'
import type { PassJson } from './pass-json.ts'
import { checkFieldGroups } from './validate-fields.ts'
import { asArray, asNumber, asObject, asText, fail, type Json, optional } from './validate-values.ts'

/** Apple's firm limit of places on one pass. */
export const MAX_LOCATIONS = 10
/** Apple states no limit for beacons; ten is what secondary sources agree on. */
export const MAX_BEACONS = 10
/** Formats in one fallback chain; there are eight in all. */
export const MAX_BARCODES = 8
/** Apple's archived format reference asks for at least this many characters. */
export const MIN_AUTHENTICATION_TOKEN_CHARS = 16

const styles = ['storeCard', 'coupon', 'generic'] as const
const barcodeFormats = new Set(
  ['QR', 'PDF417', 'Aztec', 'Code128', 'Code39', 'Codabar', 'EAN13', 'I2of5'].map((name) => `PKBarcodeFormat${name}`),
)
const colourPattern = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/
const datePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Checks the documented keys of a pass.json; throws a PkpassError that names the first wrong path. */
export function validatePassJson(value: unknown): PassJson {
  const pass = asObject(value, 'pass.json')
  checkIdentity(pass)
  checkStyle(pass)
  for (const key of ['backgroundColor', 'foregroundColor', 'labelColor']) optional(pass, key, checkColour)
  optional(pass, 'barcodes', checkBarcodes)
  optional(pass, 'locations', checkLocations)
  optional(pass, 'beacons', checkBeacons)
  optional(pass, 'logoText', (text, path) => asText(text, path, 0))
  optional(pass, 'maxDistance', (distance, path) => asNumber(distance, path, 0, Number.MAX_SAFE_INTEGER))
  optional(pass, 'expirationDate', checkDate)
  for (const key of ['voided', 'sharingProhibited', 'suppressStripShine']) optional(pass, key, checkFlag)
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
  const present = styles.filter((style) => pass[style] !== undefined)
  const style = present[0]
  if (style === undefined || present.length > 1) {
    throw new PkpassError('INVALID_PASS', present[1] ?? 'storeCard', `exactly one of ${styles.join(', ')} is demanded`)
  }
  checkFieldGroups(asObject(pass[style], style), style)
}

function checkColour(value: unknown, path: string): void {
  const match = colourPattern.exec(asText(value, path))
  if (!match?.slice(1).every((part) => Number(part) <= 255)) fail(path, 'must read rgb(r, g, b) with parts of 0 to 255')
}

function checkBarcodes(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 1, MAX_BARCODES).entries()) {
    const here = `${path}[${index}]`
    const barcode = asObject(item, here)
    if (!barcodeFormats.has(asText(barcode['format'], `${here}.format`)))
      fail(`${here}.format`, 'is not a known format')
    asText(barcode['message'], `${here}.message`)
    asText(barcode['messageEncoding'], `${here}.messageEncoding`)
    optional(barcode, 'altText', (text, name) => asText(text, name, 0), here)
  }
}

function checkLocations(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 0, MAX_LOCATIONS).entries()) {
    const here = `${path}[${index}]`
    const place = asObject(item, here)
    asNumber(place['latitude'], `${here}.latitude`, -90, 90)
    asNumber(place['longitude'], `${here}.longitude`, -180, 180)
    optional(place, 'relevantText', (text, name) => asText(text, name, 0), here)
  }
}

function checkBeacons(value: unknown, path: string): void {
  for (const [index, item] of asArray(value, path, 0, MAX_BEACONS).entries()) {
    const here = `${path}[${index}]`
    const beacon = asObject(item, here)
    if (!uuidPattern.test(asText(beacon['proximityUUID'], `${here}.proximityUUID`))) {
      fail(`${here}.proximityUUID`, 'must be a UUID')
    }
    for (const key of ['major', 'minor']) {
      optional(beacon, key, (part, name) => asNumber(part, name, 0, 65_535, true), here)
    }
    optional(beacon, 'relevantText', (text, name) => asText(text, name, 0), here)
  }
}

function checkDate(value: unknown, path: string): void {
  const text = asText(value, path)
  if (!datePattern.test(text) || Number.isNaN(Date.parse(text))) fail(path, 'must be ISO 8601 with time and zone')
}

function checkFlag(value: unknown, path: string): void {
  if (typeof value !== 'boolean') fail(path, 'must be true or false')
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
