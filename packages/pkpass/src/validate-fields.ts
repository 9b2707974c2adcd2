import { asArray, asObject, asText, fail, type Json, optional } from './validate-values.ts'

/** Fields that Apple draws per group; more would be dropped silently, so more is refused. */
export const FIELD_LIMITS = { header: 3, primary: 1, secondaryAndAuxiliary: 4 } as const
/** Own bound for the back, which Apple leaves open. */
export const MAX_BACK_FIELDS = 50

const alignments = ['Left', 'Center', 'Right', 'Natural'].map((name) => `PKTextAlignment${name}`)
const dateStyles = ['None', 'Short', 'Medium', 'Long', 'Full'].map((name) => `PKDateStyle${name}`)
const numberStyles = ['Decimal', 'Percent', 'Scientific', 'SpellOut'].map((name) => `PKNumberStyle${name}`)
const detectors = ['PhoneNumber', 'Link', 'Address', 'CalendarEvent'].map((name) => `PKDataDetectorType${name}`)

const groups = {
  headerFields: FIELD_LIMITS.header,
  primaryFields: FIELD_LIMITS.primary,
  secondaryFields: FIELD_LIMITS.secondaryAndAuxiliary,
  auxiliaryFields: FIELD_LIMITS.secondaryAndAuxiliary,
  backFields: MAX_BACK_FIELDS,
} as const
type Group = keyof typeof groups

/** Checks the groups of one style: limits, unique keys and the rules of each field. */
export function checkFieldGroups(style: Json, path: string): void {
  const seen = new Set<string>()
  for (const [group, limit] of Object.entries(groups) as [Group, number][]) {
    if (style[group] === undefined) continue
    const here = `${path}.${group}`
    for (const [index, field] of asArray(style[group], here, 0, limit).entries()) {
      checkField(asObject(field, `${here}[${index}]`), `${here}[${index}]`, group, seen)
    }
  }
  const row = countOf(style['secondaryFields']) + countOf(style['auxiliaryFields'])
  if (row > FIELD_LIMITS.secondaryAndAuxiliary) {
    fail(
      `${path}.auxiliaryFields`,
      `secondary and auxiliary fields share one row of ${FIELD_LIMITS.secondaryAndAuxiliary}`,
    )
  }
}

function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0
}

function checkField(field: Json, path: string, group: Group, seen: Set<string>): void {
  const key = asText(field['key'], `${path}.key`)
  if (seen.has(key)) fail(`${path}.key`, 'is used twice on the pass')
  seen.add(key)
  checkValue(field['value'], `${path}.value`)
  optional(field, 'label', (text, name) => asText(text, name, 0), path)
  optional(field, 'changeMessage', checkChangeMessage, path)
  optional(field, 'textAlignment', (value, name) => checkAlignment(value, name, group), path)
  optional(field, 'dataDetectorTypes', (value, name) => checkDetectors(value, name, group), path)
  checkNumberKeys(field, path)
  checkDateKeys(field, path)
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
  const used = ['dateStyle', 'timeStyle', 'isRelative', 'ignoresTimeZone'].filter((key) => field[key] !== undefined)
  if (used.length === 0) return
  if (typeof field['value'] !== 'string' || Number.isNaN(Date.parse(field['value']))) {
    fail(`${path}.value`, `must be a date beside ${used.join(', ')}`)
  }
  for (const key of ['dateStyle', 'timeStyle']) {
    if (field[key] !== undefined && !dateStyles.includes(asText(field[key], `${path}.${key}`))) {
      fail(`${path}.${key}`, `must be one of ${dateStyles.join(', ')}`)
    }
  }
}
