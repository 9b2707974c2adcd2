import { invalidArgument } from './errors.ts'

/** Longest idempotency key, in characters. */
export const IDEMPOTENCY_KEY_MAX = 128

const brandPattern = /^[a-z0-9-]{1,40}$/
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Limits of a text; lengths in Unicode characters. */
export interface TextLimits {
  /** Default 0. */
  readonly min?: number
  /** Default: none; give one wherever the text is stored. */
  readonly max?: number
  /** The whole text must match. */
  readonly pattern?: RegExp
}

/** Returns the text if it keeps the limits and holds no NUL; else INVALID_ARGUMENT naming the field. */
export function checkText(value: string, field: string, limits: TextLimits = {}): string {
  const { min = 0, max = Number.POSITIVE_INFINITY, pattern } = limits
  if (min > 0 && value === '') throw invalidArgument(field, 'is missing')
  // A character has one or two code units: what is far too long is not taken apart.
  const length = value.length > 2 * max ? value.length : Array.from(value).length
  if (length < min) throw invalidArgument(field, `must have at least ${min} characters`)
  if (length > max) throw invalidArgument(field, `must have at most ${max} characters`)
  // PostgreSQL cannot store NUL: refused here, or it would surface as an internal error.
  if (value.includes('\0')) throw invalidArgument(field, 'must not contain NUL')
  if (pattern && !pattern.test(value)) throw invalidArgument(field, `must match ${pattern.source}`)
  return value
}

/** Inclusive limits of a number. */
export interface NumberLimits<T> {
  readonly min: T
  readonly max: T
}

/** Returns the value if it is a whole number within the limits. */
export function checkInt(value: number, field: string, { min, max }: NumberLimits<number>): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw invalidArgument(field, `must be a whole number from ${min} to ${max}`)
  return value
}

/** Returns the value if it is within the limits. */
export function checkBigint(value: bigint, field: string, { min, max }: NumberLimits<bigint>): bigint {
  if (value < min || value > max) throw invalidArgument(field, `must be from ${min} to ${max}`)
  return value
}

/** Limits of a list, in items. */
export interface ListLimits {
  /** Default 0. */
  readonly min?: number
  /** Default: none; give one wherever the list is worked through. */
  readonly max?: number
}

/** Returns the list if its length keeps the limits. */
export function checkList<T>(value: readonly T[], field: string, limits: ListLimits = {}): readonly T[] {
  const { min = 0, max = Number.POSITIVE_INFINITY } = limits
  if (value.length < min) throw invalidArgument(field, `must have at least ${min} items`)
  if (value.length > max) throw invalidArgument(field, `must have at most ${max} items`)
  return value
}

/** Returns the slug of a brand, `[a-z0-9-]{1,40}`. */
export function checkBrand(value: string, field = 'brand'): string {
  if (value === '') throw invalidArgument(field, 'is missing')
  if (!brandPattern.test(value)) throw invalidArgument(field, 'must be 1 to 40 characters of a-z, 0-9 and -')
  return value
}

/** Returns the UUID in lower case with hyphens, as PostgreSQL prints it. */
export function checkUuid(value: string, field: string): string {
  if (value === '') throw invalidArgument(field, 'is missing')
  const lower = value.toLowerCase()
  if (!uuidPattern.test(lower)) throw invalidArgument(field, 'must be a UUID')
  return lower
}

/** Returns the value if it is there. */
export function checkPresent<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw invalidArgument(field, 'is missing')
  return value
}

/** Returns the key of a writing request: 1 to 128 characters. */
export function checkIdempotencyKey(value: string, field = 'idempotency_key'): string {
  return checkText(value, field, { min: 1, max: IDEMPOTENCY_KEY_MAX })
}
