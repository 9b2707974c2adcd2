import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addMonths } from './calendar.ts'
import { testProgramme } from './fixture.ts'
import type { Life, Programme } from './programme.ts'
import { earnedTerm, lifeEnd, restoreEnd } from './terms.ts'

const BERLIN = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)
const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : 'never')
const life = (term: Life['term'], roundUpTo?: Life['roundUpTo']): Life => ({ term, roundUpTo, isSliding: false })

const ends: readonly (readonly [name: string, life: Life, from: string, end: string])[] = [
  ['unlimited points never end', life({ kind: 'unlimited' }), '2026-03-01T10:00Z', 'never'],
  [
    '60 days from 1 March are usable through 30 April',
    life({ kind: 'days', days: 60 }),
    '2026-03-01T10:00Z',
    '2026-04-30T22:00:00.000Z',
  ],
  ['the day is the one of the zone', life({ kind: 'days', days: 1 }), '2026-03-01T23:30Z', '2026-03-03T23:00:00.000Z'],
  [
    'a month from 31 January ends with February',
    life({ kind: 'months', months: 1 }),
    '2026-01-31T10:00Z',
    '2026-02-28T23:00:00.000Z',
  ],
  [
    'in a leap year with its 29th',
    life({ kind: 'months', months: 1 }),
    '2028-01-31T10:00Z',
    '2028-02-29T23:00:00.000Z',
  ],
  ['the end of the year', life({ kind: 'dates', dates: ['12-31'] }), '2026-05-01T10:00Z', '2026-12-31T23:00:00.000Z'],
  [
    'nothing ends on the day on which it was earned',
    life({ kind: 'dates', dates: ['12-31'] }),
    '2026-12-31T10:00Z',
    '2027-12-31T23:00:00.000Z',
  ],
  [
    'the nearer of two dates',
    life({ kind: 'dates', dates: ['06-30', '12-31'] }),
    '2026-05-01T10:00Z',
    '2026-06-30T22:00:00.000Z',
  ],
  [
    '29 February is the 28th in other years',
    life({ kind: 'dates', dates: ['02-29'] }),
    '2026-01-01T10:00Z',
    '2026-02-28T23:00:00.000Z',
  ],
  [
    'rounded up to the month',
    life({ kind: 'days', days: 10 }, 'month'),
    '2026-04-10T10:00Z',
    '2026-04-30T22:00:00.000Z',
  ],
  [
    'rounded up to the quarter',
    life({ kind: 'months', months: 1 }, 'quarter'),
    '2026-04-10T10:00Z',
    '2026-06-30T22:00:00.000Z',
  ],
  [
    'rounded up to the half year',
    life({ kind: 'months', months: 3 }, 'half_year'),
    '2026-04-10T10:00Z',
    '2026-12-31T23:00:00.000Z',
  ],
  ['rounded up to the year', life({ kind: 'days', days: 1 }, 'year'), '2026-12-31T10:00Z', '2027-12-31T23:00:00.000Z'],
]

for (const [name, one, from, end] of ends) {
  test(`life of points: ${name}`, () => assert.equal(iso(lifeEnd(one, at(from), BERLIN)), end))
}

test('months are counted from the day and clamped, each time anew', () => {
  assert.deepEqual(
    [1, 2, 12, 13].map((months) => addMonths('2026-01-31', months)),
    ['2026-02-28', '2026-03-31', '2027-01-31', '2027-02-28'],
  )
})

test('the clock of pending points starts at their activation', () => {
  const programme: Programme = { ...testProgramme, activation: { kind: 'delay', days: 14 } }
  const { activatesAtMs, expiresAtMs } = earnedTerm(programme, at('2026-11-20T11:00Z'), BERLIN)
  assert.equal(iso(activatesAtMs), '2026-12-03T23:00:00.000Z')
  assert.equal(iso(expiresAtMs), '2027-12-04T23:00:00.000Z')
})

test('points that wait for an event are taken back after the timeout', () => {
  const programme: Programme = { ...testProgramme, activation: { kind: 'event', timeoutDays: 30 } }
  const term = earnedTerm(programme, at('2026-11-20T11:00Z'), BERLIN)
  assert.deepEqual([iso(term.activatesAtMs), iso(term.expiresAtMs)], ['never', '2026-12-20T23:00:00.000Z'])
})

test('in a programme that ends points end with it and are active at least 30 days before', () => {
  const spendUntilMs = at('2027-03-31T22:00Z')
  const programme: Programme = { ...testProgramme, spendUntilMs }
  assert.equal(earnedTerm(programme, at('2026-12-20T11:00Z'), BERLIN).expiresAtMs, spendUntilMs)
  const waiting: Programme = { ...programme, activation: { kind: 'delay', days: 120 } }
  assert.equal(earnedTerm(waiting, at('2026-12-20T11:00Z'), BERLIN).activatesAtMs, spendUntilMs - 30 * 86_400_000)
  const late = earnedTerm(waiting, at('2027-03-20T11:00Z'), BERLIN)
  assert.equal(late.activatesAtMs, at('2027-03-20T11:00Z'))
})

test('points that come back to a lot which has ended live on by the policy', () => {
  const now = at('2026-11-20T11:00Z')
  const end = (restorePolicy: Programme['restorePolicy']) =>
    restoreEnd({ ...testProgramme, restorePolicy }, now, BERLIN)
  assert.equal(end({ kind: 'original_expiry' }), undefined)
  assert.equal(iso(end({ kind: 'grace', days: 14 }) ?? 0), '2026-12-04T23:00:00.000Z')
  assert.equal(iso(end({ kind: 'new_term' }) ?? 0), '2027-11-20T23:00:00.000Z')
})
