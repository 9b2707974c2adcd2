import { PkpassError } from './errors.ts'

/** A JSON object whose values are still unknown. */
export type Json = Readonly<Record<string, unknown>>

/** Longest text accepted anywhere in a pass, in characters. */
export const MAX_TEXT_CHARS = 8_192

/** Control characters other than tab and line feed, and halves of characters: no phone draws them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const hostileCharacters = /[\u0000-\u0008\u000B-\u001F\u007F]|\p{Surrogate}/u
const datePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/

/** Throws INVALID_PASS at the path. */
export function fail(path: string, message: string): never {
  throw new PkpassError('INVALID_PASS', path, message)
}

/** The value as an object, or an error. */
export function asObject(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'must be an object')
  return value as Json
}

/** Refuses keys that Wallet does not document: they are mistakes that it would pass over in silence. */
export function onlyKeys(object: Json, known: ReadonlySet<string>, parent = ''): void {
  for (const key in object) {
    if (!known.has(key) && object[key] !== undefined) fail(parent === '' ? key : `${parent}.${key}`, 'is no known key')
  }
}

/** The value as an array of min to max items, or an error. */
export function asArray(value: unknown, path: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) fail(path, 'must be an array')
  if (value.length < min || value.length > max) fail(path, `must hold ${min} to ${max} items`)
  return value
}

/** The value as text of at least `min` characters that a phone can draw, or an error. */
export function asText(value: unknown, path: string, min = 1): string {
  if (typeof value !== 'string') fail(path, 'must be text')
  if (value.length < min) fail(path, `must have at least ${min} characters`)
  if (value.length > MAX_TEXT_CHARS) fail(path, `must have at most ${MAX_TEXT_CHARS} characters`)
  if (hostileCharacters.test(value)) fail(path, 'must not hold control characters or halves of characters')
  return value
}

/** The value as a number in the range, or an error. */
export function asNumber(value: unknown, path: string, min: number, max: number, whole = false): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'must be a number')
  if (value < min || value > max) fail(path, `must be ${min} to ${max}`)
  if (whole && !Number.isInteger(value)) fail(path, 'must be a whole number')
  return value
}

/** Refuses anything but true and false. */
export function checkFlag(value: unknown, path: string): void {
  if (typeof value !== 'boolean') fail(path, 'must be true or false')
}

/** Refuses anything but ISO 8601 with a time and a zone of `Z` or `+HH:MM`. */
export function checkDate(value: unknown, path: string): void {
  const text = asText(value, path)
  if (!datePattern.test(text) || Number.isNaN(Date.parse(text))) fail(path, 'must be ISO 8601 with time and zone')
}

/** Runs the check when the key is there; `parent` is the path of the object. */
export function optional(
  object: Json,
  key: string,
  check: (value: unknown, path: string) => unknown,
  parent = '',
): void {
  if (object[key] === undefined) return
  check(object[key], parent === '' ? key : `${parent}.${key}`)
}
