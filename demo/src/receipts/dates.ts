const patterns = [
  /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})(?:[ T](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?)?$/,
  /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/,
]

/** A calendar date and time of day without a zone, as Unix milliseconds read in UTC; undefined when it is none. */
export function parseLocalTime(text: string): number | undefined {
  for (const pattern of patterns) {
    const parts = pattern.exec(text.trim())?.groups
    if (parts === undefined) continue
    const [year, month, day] = [Number(parts['year']), Number(parts['month']), Number(parts['day'])]
    const [hour, minute, second] = ['hour', 'minute', 'second'].map((name) => Number(parts[name] ?? 0)) as [
      number,
      number,
      number,
    ]
    const at = Date.UTC(year, month - 1, day, hour, minute, second)
    const read = new Date(at)
    const isReal =
      read.getUTCMonth() === month - 1 && read.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
    return isReal ? at : undefined
  }
  return undefined
}

const millisecondsPerDay = 86_400_000

/** Whole days to add to `lastLocalMs` so that it falls on the day before `nowLocalMs`. */
export function daysUntilYesterday(lastLocalMs: number, nowLocalMs: number): number {
  return Math.floor(nowLocalMs / millisecondsPerDay) - 1 - Math.floor(lastLocalMs / millisecondsPerDay)
}

/** The instant at which clocks in `timeZone` show `localMs`; in the hour that a clock change skips, the hour after. */
export function toInstant(localMs: number, timeZone: string): Date {
  const first = localMs - offsetMs(localMs, timeZone)
  return new Date(localMs - offsetMs(first, timeZone))
}

/** What clocks in `timeZone` show at an instant, as Unix milliseconds read in UTC. */
export function toLocalMs(instantMs: number, timeZone: string): number {
  return instantMs + offsetMs(instantMs, timeZone)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function offsetMs(instantMs: number, timeZone: string): number {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
  }
  const parts = new Map(format.formatToParts(instantMs).map((part) => [part.type, Number(part.value)]))
  const at = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const shown = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'))
  return shown - Math.floor(instantMs / 1000) * 1000
}
