/** One value of a column that needs no quoting inside an array literal. */
type PlainValue = bigint | number | boolean | null

/**
 * Numbers as a PostgreSQL array literal: a flush sends thousands of them, and the driver would quote each one apart.
 */
export function numbers(values: readonly PlainValue[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value)).join(',')}}`
}

/** Identifiers that are already checked (UUIDs, days) as an array literal. */
export function plain(values: readonly (string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Instants in Unix milliseconds as an array literal of timestamps. */
export function instants(valuesMs: readonly number[]): string {
  return `{${valuesMs.map((value) => `"${new Date(value).toISOString()}"`).join(',')}}`
}
