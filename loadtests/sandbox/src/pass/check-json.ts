import { createPublicKey } from 'node:crypto'

/** One field of a pass, as far as a phone needs it. */
export interface PassField {
  readonly key: string
  readonly value: string | number
  readonly label?: string
  readonly changeMessage?: string
  readonly attributedValue?: string
  readonly [extra: string]: unknown
}

/** A pass.json that a phone has accepted. */
export interface PassJson {
  readonly passTypeIdentifier: string
  readonly serialNumber: string
  readonly teamIdentifier: string
  readonly webServiceURL?: string
  readonly authenticationToken?: string
  readonly [extra: string]: unknown
}

/** Style dictionaries; exactly one of the classic ones, a poster may stand beside it. */
const CLASSIC_STYLES = ['storeCard', 'coupon', 'generic', 'eventTicket', 'boardingPass'] as const
const FRONT_GROUPS = ['headerFields', 'primaryFields', 'secondaryFields', 'auxiliaryFields'] as const
/** Field groups of a style dictionary. */
export const FIELD_GROUPS = [...FRONT_GROUPS, 'backFields', 'footerFields', 'additionalInfoFields'] as const

const NFC_MESSAGE_BYTES_MAX = 64
const LOCATIONS_MAX = 10
const BEACONS_MAX = 10
const TOKEN_LENGTH_MIN = 16
const COLOR = /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/
const BARCODES = /^PKBarcodeFormat(QR|PDF417|Aztec|Code128|Code39|Codabar|EAN13|I2of5)$/
const ALIGNMENT = /^PKTextAlignment(Left|Center|Right|Natural)$/
const DATE_STYLE = /^PKDateStyle(None|Short|Medium|Long|Full)$/
const NUMBER_STYLE = /^PKNumberStyle(Decimal|Percent|Scientific|SpellOut)$/
const DETECTOR = /^PKDataDetectorType(PhoneNumber|Link|Address|CalendarEvent)$/

type Json = Readonly<Record<string, unknown>>

class Refused extends Error {}

function refuse(reason: string): never {
  throw new Refused(reason)
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function texts(json: Json, names: readonly string[]): void {
  for (const name of names) {
    const value = json[name]
    if (typeof value !== 'string' || value === '') refuse(`${name} is missing or not a text`)
  }
}

function optional(json: Json, name: string, fits: (value: unknown) => boolean): void {
  if (json[name] !== undefined && !fits(json[name])) refuse(`${name} is malformed`)
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && pattern.test(value)
}

function listOf(value: unknown, name: string, max: number): readonly Json[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(isObject)) refuse(`${name} is not a list of objects`)
  if (value.length > max) refuse(`${name} has more than ${max} entries`)
  return value
}

function isDate(value: unknown): boolean {
  return typeof value === 'string' && DATE.test(value) && !Number.isNaN(Date.parse(value))
}

function checkField(field: Json, group: string, seen: Set<string>): void {
  const { key, value } = field
  if (typeof key !== 'string' || key === '') refuse(`${group}: a field has no key`)
  if (seen.has(key)) refuse(`field ${key} is there twice`)
  seen.add(key)
  const at = `field ${key}`
  const numeric = typeof value === 'number' && Number.isFinite(value)
  if (!numeric && typeof value !== 'string') refuse(`${at} has no value`)
  for (const name of ['label', 'changeMessage', 'attributedValue']) {
    if (field[name] !== undefined && typeof field[name] !== 'string') refuse(`${at}: ${name} is not a text`)
  }
  optional(
    field,
    'textAlignment',
    (set) => matches(ALIGNMENT)(set) && group !== 'primaryFields' && group !== 'backFields',
  )
  optional(field, 'numberStyle', (set) => matches(NUMBER_STYLE)(set) && numeric && field['currencyCode'] === undefined)
  optional(field, 'currencyCode', (set) => matches(/^[A-Z]{3}$/)(set) && numeric)
  for (const name of ['dateStyle', 'timeStyle'])
    optional(field, name, (set) => matches(DATE_STYLE)(set) && isDate(value))
  for (const name of ['isRelative', 'ignoresTimeZone'])
    optional(field, name, (set) => typeof set === 'boolean' && isDate(value))
  optional(field, 'row', () => false)
  optional(
    field,
    'dataDetectorTypes',
    (set) => Array.isArray(set) && set.every(matches(DETECTOR)) && group === 'backFields',
  )
}

function checkStyle(json: Json): void {
  const styles = CLASSIC_STYLES.filter((name) => json[name] !== undefined)
  if (styles.length > 1 || (styles.length === 0 && json['posterGeneric'] === undefined)) refuse('not exactly one style')
  for (const name of [...styles, ...(json['posterGeneric'] === undefined ? [] : ['posterGeneric'])]) {
    const style = json[name]
    if (!isObject(style)) refuse(`${name} is not an object`)
    const seen = new Set<string>()
    for (const group of FIELD_GROUPS) {
      for (const field of listOf(style[group], group, 1000)) checkField(field, group, seen)
    }
  }
}

function checkPlaces(json: Json): void {
  const within = (value: unknown, limit: number) => typeof value === 'number' && Math.abs(value) <= limit
  for (const place of listOf(json['locations'], 'locations', LOCATIONS_MAX)) {
    if (!within(place['latitude'], 90) || !within(place['longitude'], 180)) refuse('locations: bad coordinates')
    optional(place, 'relevantText', (value) => typeof value === 'string')
  }
  for (const beacon of listOf(json['beacons'], 'beacons', BEACONS_MAX)) {
    if (!matches(/^[0-9A-Fa-f-]{36}$/)(beacon['proximityUUID'])) refuse('beacons: proximityUUID is malformed')
    for (const name of ['major', 'minor']) {
      optional(beacon, name, (value) => typeof value === 'number' && value >= 0 && value <= 65_535)
    }
  }
  optional(json, 'maxDistance', (value) => typeof value === 'number')
}

function checkNfc(nfc: unknown): void {
  if (!isObject(nfc)) refuse('nfc: is not an object')
  texts(nfc, ['message', 'encryptionPublicKey'])
  if (Buffer.byteLength(String(nfc['message'])) > NFC_MESSAGE_BYTES_MAX) refuse('nfc.message: longer than 64 bytes')
  const key = spkiCurve(String(nfc['encryptionPublicKey']))
  if (key !== 'prime256v1') refuse('nfc.encryptionPublicKey: not a P-256 key')
  optional(nfc, 'requiresAuthentication', (value) => typeof value === 'boolean')
}

function spkiCurve(base64: string): string | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })
    return key.asymmetricKeyDetails?.namedCurve
  } catch {
    return undefined
  }
}

function checkExtras(json: Json): void {
  for (const name of ['backgroundColor', 'foregroundColor', 'labelColor']) optional(json, name, matches(COLOR))
  for (const name of ['expirationDate', 'relevantDate']) optional(json, name, isDate)
  for (const name of ['voided', 'sharingProhibited', 'suppressStripShine']) {
    optional(json, name, (value) => typeof value === 'boolean')
  }
  for (const code of listOf(json['barcodes'], 'barcodes', 10)) {
    if (!matches(BARCODES)(code['format'])) refuse('barcodes: unknown format')
    texts(code, ['message', 'messageEncoding'])
  }
  if (json['nfc'] !== undefined) checkNfc(json['nfc'])
  if (json['groupingIdentifier'] !== undefined && !json['eventTicket'] && !json['boardingPass']) {
    refuse('groupingIdentifier is for boarding passes and event tickets')
  }
}

function checkService(json: Json): void {
  const { webServiceURL, authenticationToken } = json
  if (webServiceURL === undefined && authenticationToken === undefined) return
  if (typeof webServiceURL !== 'string' || typeof authenticationToken !== 'string') {
    refuse('webServiceURL and authenticationToken must come together')
  }
  if (!URL.canParse(webServiceURL) || new URL(webServiceURL).protocol !== 'https:') refuse('webServiceURL is not https')
  if (authenticationToken.length < TOKEN_LENGTH_MIN) refuse('authenticationToken is shorter than 16 characters')
}

/** Result of reading a pass.json. */
export type PassJsonResult =
  | { readonly ok: true; readonly json: PassJson }
  | { readonly ok: false; readonly reason: string }

/** Reads and checks a pass.json the way a phone does: what Wallet would drop or refuse is refused. */
export function checkPassJson(bytes: Buffer): PassJsonResult {
  try {
    if (bytes[0] === 0xef) refuse('starts with a byte order mark')
    const json: unknown = JSON.parse(bytes.toString('utf8'))
    if (!isObject(json)) refuse('is not an object')
    if (json['formatVersion'] !== 1) refuse('formatVersion is not 1')
    texts(json, ['passTypeIdentifier', 'serialNumber', 'teamIdentifier', 'organizationName', 'description'])
    if (!String(json['passTypeIdentifier']).startsWith('pass.')) refuse('passTypeIdentifier does not start with pass.')
    checkStyle(json)
    checkPlaces(json)
    checkExtras(json)
    checkService(json)
    return { ok: true, json: json as PassJson }
  } catch (error) {
    if (error instanceof Refused || error instanceof SyntaxError)
      return { ok: false, reason: `pass.json: ${error.message}` }
    throw error
  }
}

/** All fields of the style that this phone draws, in reading order. */
export function fieldsOf(json: PassJson): readonly PassField[] {
  const name = CLASSIC_STYLES.find((candidate) => json[candidate] !== undefined) ?? 'posterGeneric'
  const style = json[name]
  if (!isObject(style)) return []
  return FIELD_GROUPS.flatMap((group) => (style[group] ?? []) as readonly PassField[])
}
