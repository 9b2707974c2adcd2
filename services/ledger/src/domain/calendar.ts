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
  return endOfDay(addDays(localDay(atMs, timeZone), days), timeZone)
}

/** First instant after a calendar day in a zone. */
export function endOfDay(day: string, timeZone: string): number {
  return startOfDay(addDays(day, 1), timeZone)
}

/** A calendar day so many days later. */
export function addDays(day: string, days: number): string {
  return toDay(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS)
}

/** A calendar day so many months later; where that month is shorter, its last day. */
export function addMonths(day: string, months: number): string {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const lastOfMonth = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return toDay(Date.UTC(year, month - 1 + months, Math.min(date, lastOfMonth)))
}

/** Last day of the period of so many months, a divisor of twelve, that a calendar day is in. */
export function periodEnd(day: string, months: number): string {
  const [year = 0, month = 0] = day.split('-').map(Number)
  return toDay(Date.UTC(year, Math.ceil(month / months) * months, 0))
}

/** Last day of a calendar day's month. */
export function monthEnd(day: string): string {
  return periodEnd(day, 1)
}

function toDay(utcMs: number): string {
  return new Date(utcMs).toISOString().slice(0, 10)
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
