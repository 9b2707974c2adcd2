/** Days are counted from 1 January 1970; the model knows Berlin only, whose clocks change by the rule of the EU. */
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** The day of an instant in Berlin. */
export function dayOf(atMs: number): number {
  return Math.floor((atMs + offsetMs(atMs)) / DAY_MS)
}

/** First instant of a day in Berlin: clocks never change at its midnight. */
export function startOf(day: number): number {
  const noonMs = day * DAY_MS - 2 * HOUR_MS
  return day * DAY_MS - offsetMs(noonMs)
}

/** The same day so many months later, or the last one of a shorter month. */
export function monthsAfter(day: number, months: number): number {
  const date = new Date(day * DAY_MS)
  const wanted = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const month = date.getUTCMonth()
  date.setUTCDate(wanted)
  // Too far: the month has no such day.
  while (date.getUTCMonth() !== month) date.setUTCDate(date.getUTCDate() - 1)
  return date.getTime() / DAY_MS
}

/** Last day of the month of a day. */
export function lastOfMonth(day: number): number {
  let last = day
  while (new Date((last + 1) * DAY_MS).getUTCDate() !== 1) last += 1
  return last
}

/** First day of the year of a day. */
export function firstOfYear(day: number): number {
  return Date.UTC(new Date(day * DAY_MS).getUTCFullYear(), 0, 1) / DAY_MS
}

function offsetMs(atMs: number): number {
  const year = new Date(atMs).getUTCFullYear()
  const isSummer = atMs >= lastSunday(year, 2) && atMs < lastSunday(year, 9)
  return isSummer ? 2 * HOUR_MS : HOUR_MS
}

/** 01:00 UTC of the last Sunday of a month of 31 days. */
function lastSunday(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month, 31, 1))
  return last.getTime() - last.getUTCDay() * DAY_MS
}
