import { checkBrand, checkInt, checkText, invalidArgument } from '@stampede/platform'
import { Brand } from '@stampede/proto/enrollment/v1'

const NAME_MAX = 60
const CONTACT_MAX = 200
const PASS_TYPE_ID_MAX = 128
const DOMAIN_MAX = 253
/** Lower-case labels; empty for none. */
const DOMAIN = /^$|^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/
const WEIGHT_MAX = 100
const WEIGHT_DEFAULT = 10
const INT32_MAX = 2_147_483_647
const PUSH_TYPE_DEFAULT = 'background'
const PUSH_PRIORITY_DEFAULT = 5
const PUSH_EXPIRATION_DEFAULT_SECONDS = 86_400
/** Apple stores a push for at most 30 days. */
const PUSH_EXPIRATION_MAX_SECONDS = 2_592_000

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
    domain: checkText(brand.domain, 'brand.domain', { max: DOMAIN_MAX, pattern: DOMAIN }),
    ...checkPushSettings(brand),
  }
}

/** Throws INVALID_ARGUMENT naming the field if a change touches what installed passes or balances hang on. */
export function checkBrandChange(before: Brand, after: Brand): void {
  const fixed = { currency: 'currency', passTypeId: 'pass_type_id', teamId: 'team_id' } as const
  for (const [field, name] of Object.entries(fixed) as [keyof typeof fixed, string][])
    if (before[field] !== after[field]) throw invalidArgument(`brand.${name}`, 'never changes')
  if (before.googleIssuerId !== '' && before.googleIssuerId !== after.googleIssuerId)
    throw invalidArgument('brand.google_issuer_id', 'never changes once there is one')
}

/**
 * The bytes by which two brands are told apart. Push settings that are the defaults are left out: so requests from
 * before there were any still count as the same when they are repeated.
 */
export function brandContent(brand: Brand): Buffer {
  const content = {
    ...brand,
    pushType: brand.pushType === PUSH_TYPE_DEFAULT ? '' : brand.pushType,
    pushPriority: brand.pushPriority === PUSH_PRIORITY_DEFAULT ? 0 : brand.pushPriority,
    pushExpirationSeconds:
      brand.pushExpirationSeconds === PUSH_EXPIRATION_DEFAULT_SECONDS ? 0 : brand.pushExpirationSeconds,
  }
  return Buffer.from(Brand.encode(content).finish())
}

function checkPushSettings(brand: Brand): Pick<Brand, 'pushType' | 'pushPriority' | 'pushExpirationSeconds'> {
  const pushType = brand.pushType || PUSH_TYPE_DEFAULT
  if (pushType !== 'background' && pushType !== 'none')
    throw invalidArgument('brand.push_type', 'must be background or none')
  const pushPriority = brand.pushPriority || PUSH_PRIORITY_DEFAULT
  if (![1, 5, 10].includes(pushPriority)) throw invalidArgument('brand.push_priority', 'must be 1, 5 or 10')
  if (pushType === 'background' && pushPriority === 10)
    throw invalidArgument('brand.push_priority', 'must be 1 or 5 with the push type background: Apple refuses 10')
  const expiration = { min: 1, max: PUSH_EXPIRATION_MAX_SECONDS }
  return {
    pushType,
    pushPriority,
    pushExpirationSeconds:
      brand.pushExpirationSeconds === 0
        ? PUSH_EXPIRATION_DEFAULT_SECONDS
        : checkInt(brand.pushExpirationSeconds, 'brand.push_expiration_seconds', expiration),
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
