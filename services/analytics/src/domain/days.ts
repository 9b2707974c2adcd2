const dayMs = 86_400_000

/** Calendar days from the first to the last (YYYY-MM-DD), both included. */
export function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = []
  // Calendar days are counted in UTC, where each has 24 hours.
  for (let ms = Date.parse(`${first}T00:00:00Z`); ms <= Date.parse(`${last}T00:00:00Z`); ms += dayMs)
    days.push(new Date(ms).toISOString().slice(0, 10))
  return days
}
