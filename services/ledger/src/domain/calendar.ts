const DAY_MS = 86_400_000
/** No zone is further from UTC than this. */
const MAX_OFFSET_MS = 16 * 3_600_000
/** Day starts kept; a brand uses a few hundred at most. */
const MAX_CACHED_DAYS = 4_096

const formatters = new Map<string, Intl.DateTimeFormat>()
const dayStarts = new Map<string, number>()

/** The calendar day of an instant in a zone, as YYYY-MM-DD. */
export function localDay(atMs: number, timeZone: string): string {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
    formatters.set(timeZone, formatter)
  }
  return formatter.format(atMs)
}

/** First day of the business month of a calendar day, as YYYY-MM-01. */
export function monthOf(day: string): string {
  return `${day.slice(0, 7)}-01`
}

/** First day of the UTC month of an instant, as YYYY-MM-01. */
export function utcMonth(atMs: number): string {
  return monthOf(new Date(atMs).toISOString())
}

/** The local time of an instant as if it were UTC: its UTC month is the business month. */
export function localTimeMs(atMs: number, timeZone: string): number {
  const day = localDay(atMs, timeZone)
  // A day on which clocks go back is longer than 24 hours.
  return Date.parse(`${day}T00:00:00Z`) + Math.min(atMs - startOfDay(day, timeZone), DAY_MS - 1)
}

/**
 * First instant at which points of this instant are unusable: they live through `days` further calendar days of the
 * zone, whatever the clocks do in between.
 */
export function endOfLife(atMs: number, days: number, timeZone: string): number {
  const day = Date.parse(`${localDay(atMs, timeZone)}T00:00:00Z`)
  return endOfDay(new Date(day + days * DAY_MS).toISOString().slice(0, 10), timeZone)
}

/** First instant after a calendar day in a zone. */
export function endOfDay(day: string, timeZone: string): number {
  const next = Date.parse(`${day}T00:00:00Z`) + DAY_MS
  return startOfDay(new Date(next).toISOString().slice(0, 10), timeZone)
}

/** First instant of a calendar day in a zone; not always midnight, as some zones change their clocks at midnight. */
export function startOfDay(day: string, timeZone: string): number {
  const key = `${timeZone} ${day}`
  const cached = dayStarts.get(key)
  if (cached !== undefined) return cached
  const found = searchDayStart(day, timeZone)
  if (dayStarts.size >= MAX_CACHED_DAYS) dayStarts.clear()
  dayStarts.set(key, found)
  return found
}

function searchDayStart(day: string, timeZone: string): number {
  const midnightUtc = Date.parse(`${day}T00:00:00Z`)
  let before = midnightUtc - MAX_OFFSET_MS
  let after = midnightUtc + MAX_OFFSET_MS
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (localDay(middle, timeZone) >= day) after = middle
    else before = middle
  }
  return after
}
