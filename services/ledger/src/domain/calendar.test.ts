import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfLife, localDay, monthOf, startOfDay } from './calendar.ts'

test('points end at the first instant of a local day, whatever the clocks do', () => {
  const cases: readonly [string, string, number, string, string][] = [
    ['plain day in UTC', '2026-01-01T12:00:00Z', 30, 'UTC', '2026-02-01T00:00:00Z'],
    ['last second of a local day', '2026-01-01T20:59:59Z', 1, 'Europe/Moscow', '2026-01-02T21:00:00Z'],
    ['first instant of the next local day', '2026-01-01T21:00:00Z', 1, 'Europe/Moscow', '2026-01-03T21:00:00Z'],
    ['across the spring change', '2026-03-28T12:00:00Z', 1, 'Europe/Berlin', '2026-03-29T22:00:00Z'],
    ['across the autumn change', '2026-10-24T12:00:00Z', 1, 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    ['a day that begins at one o’clock', '2018-11-02T12:00:00Z', 1, 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['a day that the zone skipped', '2011-12-28T12:00:00Z', 1, 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['a leap day', '2028-02-28T12:00:00Z', 1, 'UTC', '2028-03-01T00:00:00Z'],
    ['east of UTC + 12', '2026-06-01T11:00:00Z', 0, 'Pacific/Kiritimati', '2026-06-02T10:00:00Z'],
  ]
  for (const [name, at, days, zone, end] of cases) {
    assert.equal(new Date(endOfLife(Date.parse(at), days, zone)).toISOString(), new Date(end).toISOString(), name)
  }
})

test('the instant before the first one of a day belongs to the day before', () => {
  for (const zone of ['Europe/London', 'America/New_York', 'Asia/Kathmandu', 'America/Sao_Paulo', 'Africa/Cairo']) {
    for (let month = 1; month <= 12; month += 1) {
      const day = `2018-${String(month).padStart(2, '0')}-04`
      const start = startOfDay(day, zone)
      assert.equal(localDay(start, zone), day)
      assert.equal(localDay(start - 1, zone), `${day.slice(0, 8)}03`)
    }
  }
})

test('a business month is named by its first day', () => {
  assert.equal(monthOf(localDay(Date.parse('2026-02-28T23:30:00Z'), 'Europe/Berlin')), '2026-03-01')
})
