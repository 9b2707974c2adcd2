import { checkBrand, checkInt, checkText, invalidArgument } from '@stampede/platform'
import type { Brand } from '@stampede/proto/enrollment/v1'

const NAME_MAX = 60
const CONTACT_MAX = 200
const PASS_TYPE_ID_MAX = 128
const WEIGHT_MAX = 100
const WEIGHT_DEFAULT = 10
const INT32_MAX = 2_147_483_647

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** The brand with its defaults filled in, if each field keeps its limits; else INVALID_ARGUMENT naming the field. */
export function checkNewBrand(brand: Brand): Brand {
  return {
    brand: checkBrand(brand.brand, 'brand.brand'),
    name: checkText(brand.name, 'brand.name', { min: 1, max: NAME_MAX, pattern: /^\P{Cc}*$/u }),
    timeZone: checkTimeZone(brand.timeZone, 'brand.time_zone'),
    currency: checkCurrency(brand.currency, 'brand.currency'),
    passTypeId: checkPassTypeId(brand.passTypeId, 'brand.pass_type_id'),
    teamId: checkText(brand.teamId, 'brand.team_id', { min: 1, pattern: /^[A-Z0-9]{10}$/ }),
    googleIssuerId: checkText(brand.googleIssuerId, 'brand.google_issuer_id', { pattern: /^\d{0,20}$/ }),
    weight: brand.weight === 0 ? WEIGHT_DEFAULT : checkInt(brand.weight, 'brand.weight', { min: 1, max: WEIGHT_MAX }),
    maxBulkPerSecond: checkInt(brand.maxBulkPerSecond, 'brand.max_bulk_per_second', { min: 0, max: INT32_MAX }),
    contact: checkText(brand.contact, 'brand.contact', { max: CONTACT_MAX }),
  }
}

function checkTimeZone(value: string, field: string): string {
  // Intl takes offsets such as +01:00 too; they know no summer time, so that they are no brand's zone.
  checkText(value, field, { min: 1, max: 64, pattern: /^[A-Za-z][A-Za-z0-9_+/-]*$/ })
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
  } catch {
    throw invalidArgument(field, 'must be a time zone of the IANA database, such as Europe/London')
  }
  return value
}

function checkCurrency(value: string, field: string): string {
  checkText(value, field, { min: 1, pattern: /^[A-Z]{3}$/ })
  if (!currencies.has(value)) throw invalidArgument(field, 'must be a currency of ISO 4217, such as EUR')
  return value
}

function checkPassTypeId(value: string, field: string): string {
  // A wildcard or an empty label can never be the subject of a certificate.
  return checkText(value, field, { min: 1, max: PASS_TYPE_ID_MAX, pattern: /^pass(\.[A-Za-z0-9-]+)+$/ })
}
