/** One value of a column that needs no quoting inside an array literal. */
type PlainValue = bigint | number | boolean | null

/**
 * Numbers as a PostgreSQL array literal: a flush sends thousands of them, and the driver would quote each one apart.
 */
export function numbers(values: readonly PlainValue[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value)).join(',')}}`
}

/** Identifiers that are already checked (UUIDs, days, names of ours) as an array literal. */
export function plain(values: readonly (string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Any texts as an array literal. */
export function texts(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/** Instants in Unix milliseconds as an array literal of timestamps; infinite ones are NULL. */
export function instants(valuesMs: readonly number[]): string {
  return `{${valuesMs.map((value) => (Number.isFinite(value) ? `"${new Date(value).toISOString()}"` : 'NULL')).join(',')}}`
}

/** An instant column in Unix milliseconds; NULL is infinite. */
export function instantOf(value: Date | null): number {
  return value?.getTime() ?? Number.POSITIVE_INFINITY
}
