/** Longest pattern, in characters. */
export const MAX_PATTERN_CHARS = 2_000
/** How deep plural branches may nest. */
export const MAX_PATTERN_DEPTH = 3

/** A pattern taken apart: texts, places and choices. */
export type Pattern = readonly PatternPart[]

/** One part of a pattern. */
export type PatternPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'place'; readonly name: string }
  /** `#` inside a plural branch: the number that chose it. */
  | { readonly kind: 'number'; readonly name: string }
  | { readonly kind: 'plural' | 'select'; readonly name: string; readonly branches: ReadonlyMap<string, Pattern> }

/** What parsing answers: the pattern, or why it is none. */
export type ParsedPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly reason: string }

/** Values for the places of a pattern. */
export interface PatternValues {
  /** Text of a place; undefined reads as empty. */
  text(name: string): string | undefined
  /** Number behind a place, for plurals. */
  number(name: string): bigint | undefined
}

const pluralBranches = /^(?:zero|one|two|few|many|other|=\d{1,15})$/
const selectBranches = /^[A-Za-z0-9_]{1,40}$/

class PatternSyntaxError extends Error {}

interface Cursor {
  readonly text: string
  at: number
}

/**
 * Parses `{place}`, `{place, plural, one {...} other {...}}`, `{place, select, gold {...} other {...}}` and apostrophe quoting
 * (`'{'`, `''`) as ICU has them.
 */
export function parsePattern(text: string): ParsedPattern {
  if (text.length > MAX_PATTERN_CHARS) return { ok: false, reason: `must have at most ${MAX_PATTERN_CHARS} characters` }
  const cursor: Cursor = { text, at: 0 }
  try {
    const pattern = parseParts(cursor, undefined, 0)
    if (cursor.at < text.length) return { ok: false, reason: `has a } without its { at ${cursor.at}` }
    return { ok: true, pattern }
  } catch (error) {
    if (error instanceof PatternSyntaxError) return { ok: false, reason: error.message }
    throw error
  }
}

const parsedByText = new Map<string, ParsedPattern>()

/** The same as parsePattern, for texts that are composed for many cards: kept from one to the next. */
export function parsedPattern(text: string): ParsedPattern {
  return remembered(parsedByText, text, () => parsePattern(text))
}

function parseParts(cursor: Cursor, plural: string | undefined, depth: number): Pattern {
  const parts: PatternPart[] = []
  let text = ''
  const flush = () => {
    if (text !== '') parts.push({ kind: 'text', text })
    text = ''
  }
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at]
    if (char === '}') break
    if (char === "'") {
      text += readQuoted(cursor)
    } else if (char === '{') {
      flush()
      parts.push(readPlace(cursor, depth))
    } else if (char === '#' && plural !== undefined) {
      flush()
      parts.push({ kind: 'number', name: plural })
      cursor.at++
    } else {
      text += char
      cursor.at++
    }
  }
  flush()
  return parts
}

// An apostrophe quotes only in front of a brace or #; elsewhere it is an apostrophe, so that "don't" needs no care.
function readQuoted(cursor: Cursor): string {
  const next = cursor.text[cursor.at + 1]
  if (next === "'") {
    cursor.at += 2
    return "'"
  }
  if (next !== '{' && next !== '}' && next !== '#') {
    cursor.at++
    return "'"
  }
  const end = cursor.text.indexOf("'", cursor.at + 1)
  const stop = end < 0 ? cursor.text.length : end
  const quoted = cursor.text.slice(cursor.at + 1, stop)
  cursor.at = stop + 1
  return quoted
}

function readPlace(cursor: Cursor, depth: number): PatternPart {
  expect(cursor, '{')
  const name = readWord(cursor, 'the name of a place')
  if (tryChar(cursor, '}')) return { kind: 'place', name }
  expect(cursor, ',')
  const kind = readWord(cursor, 'plural or select')
  if (kind !== 'plural' && kind !== 'select') throw new PatternSyntaxError(`knows plural and select, not ${kind}`)
  const known = kind === 'plural' ? pluralBranches : selectBranches
  if (depth >= MAX_PATTERN_DEPTH) throw new PatternSyntaxError(`nests deeper than ${MAX_PATTERN_DEPTH}`)
  expect(cursor, ',')
  const branches = new Map<string, Pattern>()
  while (!tryChar(cursor, '}')) {
    const branch = readWord(cursor, `a branch of ${kind}`)
    if (!known.test(branch)) throw new PatternSyntaxError(`has an unknown branch ${branch}`)
    if (branches.has(branch)) throw new PatternSyntaxError(`has the branch ${branch} twice`)
    expect(cursor, '{')
    branches.set(branch, parseParts(cursor, kind === 'plural' ? name : undefined, depth + 1))
    expect(cursor, '}')
  }
  if (!branches.has('other')) throw new PatternSyntaxError(`has a ${kind} without the branch other`)
  return { kind, name, branches }
}

function readWord(cursor: Cursor, what: string): string {
  skipSpace(cursor)
  const match = /^[A-Za-z0-9_.=]+/.exec(cursor.text.slice(cursor.at, cursor.at + 40))
  if (match === null) throw new PatternSyntaxError(`expects ${what} at ${cursor.at}`)
  cursor.at += match[0].length
  skipSpace(cursor)
  return match[0]
}

function expect(cursor: Cursor, char: string): void {
  if (!tryChar(cursor, char)) throw new PatternSyntaxError(`expects ${char} at ${cursor.at}`)
}

function tryChar(cursor: Cursor, char: string): boolean {
  skipSpace(cursor)
  // Only between tokens: text of a branch begins right after its brace.
  if (cursor.text[cursor.at] !== char) return false
  cursor.at++
  return true
}

function skipSpace(cursor: Cursor): void {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++
}

/** The names that a pattern asks for, each once. */
export function placesOf(pattern: Pattern): ReadonlySet<string> {
  const names = new Set<string>()
  for (const part of pattern) {
    if (part.kind === 'text') continue
    names.add(part.name)
    if (part.kind !== 'plural' && part.kind !== 'select') continue
    for (const branch of part.branches.values()) for (const name of placesOf(branch)) names.add(name)
  }
  return names
}

/** Whether a text stands in the pattern whatever is chosen. */
export function alwaysHolds(pattern: Pattern, text: string): boolean {
  return pattern.some((part) => {
    if (part.kind === 'text') return part.text.includes(text)
    const isChoice = part.kind === 'plural' || part.kind === 'select'
    return isChoice && [...part.branches.values()].every((branch) => alwaysHolds(branch, text))
  })
}

/** Composes the text in a locale (BCP-47; an unknown one falls back to English). */
export function composePattern(pattern: Pattern, values: PatternValues, locale: string): string {
  return pattern.map((part) => composePart(part, values, locale)).join('')
}

function composePart(part: PatternPart, values: PatternValues, locale: string): string {
  if (part.kind === 'text') return part.text
  if (part.kind === 'place') return values.text(part.name) ?? ''
  if (part.kind === 'select') {
    const chosen = part.branches.get(values.text(part.name) ?? '') ?? part.branches.get('other')
    return chosen === undefined ? '' : composePattern(chosen, values, locale)
  }
  const number = values.number(part.name) ?? 0n
  if (part.kind === 'number') return formatInteger(number, locale)
  const exact = part.branches.get(`=${number}`)
  const branch = exact ?? part.branches.get(pluralRules(locale).select(Number(number))) ?? part.branches.get('other')
  return branch === undefined ? '' : composePattern(branch, values, locale)
}

const rulesByLocale = new Map<string, Intl.PluralRules>()
const numbersByLocale = new Map<string, Intl.NumberFormat>()
/** Formatters, and parsed texts, kept per kind; locales of members are few, but they are input. */
const MAX_REMEMBERED = 200

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  if (map.size >= MAX_REMEMBERED) map.clear()
  const made = make()
  map.set(key, made)
  return made
}

function pluralRules(locale: string): Intl.PluralRules {
  return remembered(rulesByLocale, locale, () => new Intl.PluralRules(supportedLocale(locale)))
}

/** A whole number with the locale's grouping. */
export function formatInteger(value: bigint, locale: string): string {
  return remembered(numbersByLocale, locale, () => new Intl.NumberFormat(supportedLocale(locale))).format(value)
}

/** A currency's format and how many digits its minor unit has: asking the format for that costs more than formatting. */
interface MoneyFormat {
  readonly format: Intl.NumberFormat
  readonly digits: number
}

const moneyByKey = new Map<string, MoneyFormat>()

/** Minor units of a currency as the locale writes them; an unknown currency is written as a plain number. */
export function formatMoney(minor: bigint, currency: string, locale: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) return formatInteger(minor, locale)
  const { format, digits } = remembered(moneyByKey, `${locale} ${currency}`, () => {
    const made = new Intl.NumberFormat(supportedLocale(locale), { style: 'currency', currency })
    return { format: made, digits: made.resolvedOptions().maximumFractionDigits ?? 2 }
  })
  // Through a decimal text, because a float would lose cents of large amounts.
  const text = minor
    .toString()
    .replace('-', '')
    .padStart(digits + 1, '0')
  const decimal = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return format.format(`${minor < 0n ? '-' : ''}${decimal}` as Intl.StringNumericLiteral)
}

const daysByKey = new Map<string, Intl.DateTimeFormat>()

/** A calendar day in a zone as the locale writes it. */
export function formatDay(date: Date, locale: string, timeZone: string): string {
  const format = remembered(daysByKey, `${locale} ${timeZone}`, () => {
    return new Intl.DateTimeFormat(supportedLocale(locale), { dateStyle: 'medium', timeZone: timeZone || 'UTC' })
  })
  return format.format(date)
}

/** The locale if this runtime knows it, else English. */
export function supportedLocale(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en'
  } catch {
    return 'en'
  }
}
