import { asArray, asObject, asText, checkFlag, fail, type Json, onlyKeys, optional } from './validate-values.ts'

/** Fields that Apple draws per group; more would be dropped silently, so more is refused. */
export const FIELD_LIMITS = { header: 3, primary: 1, secondaryAndAuxiliary: 4 } as const
/** Own bound for the back, which Apple leaves open. */
export const MAX_BACK_FIELDS = 50

const alignments = ['Left', 'Center', 'Right', 'Natural'].map((name) => `PKTextAlignment${name}`)
const dateStyles = ['None', 'Short', 'Medium', 'Long', 'Full'].map((name) => `PKDateStyle${name}`)
const numberStyles = ['Decimal', 'Percent', 'Scientific', 'SpellOut'].map((name) => `PKNumberStyle${name}`)
const dateKeys = ['dateStyle', 'timeStyle', 'isRelative', 'ignoresTimeZone'] as const
const detectors = ['PhoneNumber', 'Link', 'Address', 'CalendarEvent'].map((name) => `PKDataDetectorType${name}`)

/** Groups of fields and how many of each Wallet draws. */
interface Limits {
  readonly headerFields: number
  readonly primaryFields: number
  readonly secondaryFields: number
  readonly auxiliaryFields: number
  readonly backFields: number
  readonly footerFields: number
  readonly additionalInfoFields: number
  /** Secondary and auxiliary fields together. */
  readonly row: number
}

const classic: Limits = {
  headerFields: FIELD_LIMITS.header,
  primaryFields: FIELD_LIMITS.primary,
  secondaryFields: FIELD_LIMITS.secondaryAndAuxiliary,
  auxiliaryFields: FIELD_LIMITS.secondaryAndAuxiliary,
  backFields: MAX_BACK_FIELDS,
  footerFields: 0,
  additionalInfoFields: 0,
  row: FIELD_LIMITS.secondaryAndAuxiliary,
}

/** Styles that a pass can have. */
export const styleLimits: Readonly<Record<string, Limits>> = {
  storeCard: classic,
  coupon: classic,
  generic: classic,
  // Auxiliary fields of an event have two rows; posters show the additional ones.
  eventTicket: { ...classic, auxiliaryFields: 8, row: 12, additionalInfoFields: MAX_BACK_FIELDS },
  posterGeneric: {
    ...classic,
    headerFields: 1,
    primaryFields: 4,
    secondaryFields: 0,
    auxiliaryFields: 0,
    footerFields: 1,
    additionalInfoFields: MAX_BACK_FIELDS,
  },
}

const groupNames = [
  'headerFields',
  'primaryFields',
  'secondaryFields',
  'auxiliaryFields',
  'backFields',
  'footerFields',
  'additionalInfoFields',
] as const
type Group = (typeof groupNames)[number]
const groupKeys: ReadonlySet<string> = new Set(groupNames)
const fieldKeys: ReadonlySet<string> = new Set([
  'key',
  'value',
  'label',
  'attributedValue',
  'changeMessage',
  'textAlignment',
  'dateStyle',
  'timeStyle',
  'isRelative',
  'ignoresTimeZone',
  'numberStyle',
  'currencyCode',
  'dataDetectorTypes',
  'row',
  'semantics',
])

/** Checks the groups of one style: limits, unique keys and the rules of each field. */
export function checkFieldGroups(fields: Json, style: string): void {
  onlyKeys(fields, groupKeys, style)
  const limits = styleLimits[style] ?? classic
  const seen = new Set<string>()
  for (const group of groupNames) {
    const list = fields[group]
    if (list === undefined) continue
    const here = `${style}.${group}`
    const items = asArray(list, here, 0, limits[group])
    for (let index = 0; index < items.length; index++) {
      const path = `${here}[${index}]`
      checkField(asObject(items[index], path), path, { group, style, seen })
    }
  }
  if (countOf(fields['secondaryFields']) + countOf(fields['auxiliaryFields']) > limits.row) {
    fail(`${style}.auxiliaryFields`, `secondary and auxiliary fields share ${limits.row} places`)
  }
}

function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0
}

interface Place {
  readonly group: Group
  readonly style: string
  readonly seen: Set<string>
}

function checkField(field: Json, path: string, { group, style, seen }: Place): void {
  onlyKeys(field, fieldKeys, path)
  const key = asText(field['key'], `${path}.key`)
  if (seen.has(key)) fail(`${path}.key`, 'is used twice on the pass')
  seen.add(key)
  checkValue(field['value'], `${path}.value`)
  optional(field, 'label', (text, name) => asText(text, name, 0), path)
  optional(field, 'attributedValue', checkAttributed, path)
  optional(field, 'changeMessage', checkChangeMessage, path)
  optional(field, 'textAlignment', (value, name) => checkAlignment(value, name, group), path)
  optional(field, 'dataDetectorTypes', (value, name) => checkDetectors(value, name, group), path)
  optional(field, 'semantics', asObject, path)
  if (field['row'] !== undefined) {
    if (style !== 'eventTicket' || group !== 'auxiliaryFields') {
      fail(`${path}.row`, 'is allowed on auxiliary fields of event tickets only')
    }
    if (field['row'] !== 0 && field['row'] !== 1) fail(`${path}.row`, 'must be 0 or 1')
  }
  checkNumberKeys(field, path)
  checkDateKeys(field, path)
}

/** Wallet knows links only, and drops them at an ampersand that is not written as an entity. */
function checkAttributed(value: unknown, path: string): void {
  const text = typeof value === 'number' ? String(value) : asText(value, path, 0)
  const rest = text.replace(/<a href=(?:"[^"<>]*"|'[^'<>]*')>|<\/a>/g, '')
  if (/[<>]/.test(rest)) fail(path, 'may hold <a href="..."> only')
  if (/&(?!#?\w{1,10};)/.test(text)) fail(path, 'must write & as &amp;')
  for (const [, address = ''] of text.matchAll(/<a href=["']([^"']*)/g)) {
    if (runsSomething(address)) fail(path, 'may link to what a phone opens, not to what it would run')
  }
}

/** Whether an address is code or content of its own, however its letters are written. */
function runsSomething(address: string): boolean {
  const decoded = address
    .replace(/&#x([0-9a-f]{1,6});/gi, (_, hex: string) => codePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d{1,7});/g, (_, decimal: string) => codePoint(Number(decimal)))
    .replace(/&(?:colon|tab|newline);/gi, (name) => (/colon/i.test(name) ? ':' : ''))
  // Browsers skip what is not visible before and within the scheme.
  return /^(?:javascript|vbscript|data|file):/i.test(decoded.replace(/[\s\p{Cc}]/gu, ''))
}

function codePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : ''
}

function checkValue(value: unknown, path: string): void {
  if (typeof value === 'number' && Number.isFinite(value)) return
  asText(value, path, 0)
}

function checkChangeMessage(value: unknown, path: string): void {
  if (!asText(value, path).includes('%@')) fail(path, 'must hold %@, the place of the new value')
}

function checkAlignment(value: unknown, path: string, group: Group): void {
  if (group === 'primaryFields' || group === 'backFields') fail(path, 'is not allowed on primary and back fields')
  if (!alignments.includes(asText(value, path))) fail(path, `must be one of ${alignments.join(', ')}`)
}

function checkDetectors(value: unknown, path: string, group: Group): void {
  if (group !== 'backFields') fail(path, 'is allowed on back fields only')
  for (const item of asArray(value, path, 0, detectors.length)) {
    if (!detectors.includes(asText(item, path))) fail(path, `must hold only ${detectors.join(', ')}`)
  }
}

function checkNumberKeys(field: Json, path: string): void {
  const { numberStyle, currencyCode } = field
  if (numberStyle === undefined && currencyCode === undefined) return
  if (typeof field['value'] !== 'number') fail(`${path}.value`, 'must be a number beside numberStyle or currencyCode')
  if (numberStyle !== undefined && currencyCode !== undefined) fail(`${path}.currencyCode`, 'excludes numberStyle')
  if (numberStyle !== undefined && !numberStyles.includes(asText(numberStyle, `${path}.numberStyle`))) {
    fail(`${path}.numberStyle`, `must be one of ${numberStyles.join(', ')}`)
  }
  if (currencyCode !== undefined && !/^[A-Z]{3}$/.test(asText(currencyCode, `${path}.currencyCode`))) {
    fail(`${path}.currencyCode`, 'must be an ISO 4217 code')
  }
}

function checkDateKeys(field: Json, path: string): void {
  const used = dateKeys.filter((key) => field[key] !== undefined)
  if (used.length === 0) return
  if (typeof field['value'] !== 'string' || Number.isNaN(Date.parse(field['value']))) {
    fail(`${path}.value`, `must be a date beside ${used.join(', ')}`)
  }
  for (const key of ['isRelative', 'ignoresTimeZone']) optional(field, key, checkFlag, path)
  for (const key of ['dateStyle', 'timeStyle']) {
    if (field[key] !== undefined && !dateStyles.includes(asText(field[key], `${path}.${key}`))) {
      fail(`${path}.${key}`, `must be one of ${dateStyles.join(', ')}`)
    }
  }
}
