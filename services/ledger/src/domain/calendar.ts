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

/**
 * First instant at which points of this instant are unusable: they live through `days` further calendar days of the
 * zone, whatever the clocks do in between.
 */
export function endOfLife(atMs: number, days: number, timeZone: string): number {
  const day = Date.parse(`${localDay(atMs, timeZone)}T00:00:00Z`)
  return startOfDay(new Date(day + (days + 1) * DAY_MS).toISOString().slice(0, 10), timeZone)
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
