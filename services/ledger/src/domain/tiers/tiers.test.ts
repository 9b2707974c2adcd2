import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { evaluateTier, type TierFacts } from './evaluate.ts'
import type { QualifyingDay, TierLadder, TierState } from './ladder.ts'
import { tierAt } from './ladder.ts'
import { tierProgress } from './progress.ts'
import { simulateLadder } from './simulate.ts'

const ZONE = 'Europe/Berlin'
const tier = (tierId: string, threshold: bigint) => ({ tierId, threshold, earnHundredths: 100n, entryPoints: 0n })
/** Thresholds in cents. */
const ladder: TierLadder = {
  tiers: [
    tier('malachite', 1_000_00n),
    tier('sapphire', 100_000_00n),
    tier('ruby', 500_000_00n),
    tier('diamond', 1_000_000_00n),
  ],
  metric: 'spend',
  window: { kind: 'calendar_year' },
  graceDays: 0,
  upgrade: 'immediate',
  downgrade: 'reassess',
}

/** A member whose tier is looked at after each step. */
class Member {
  state: TierState | undefined
  days: QualifyingDay[] = []
  readonly #ladder: TierLadder

  constructor(own: Partial<TierLadder> = {}) {
    this.#ladder = { ...ladder, ...own }
  }

  /** Buys for so much money on a day, in whole units; negative for a return of something bought on that day. */
  buy(day: string, money: bigint, seenOn = day): this {
    this.days.push({ day, spendMinor: money * 100n, points: money, visits: money > 0n ? 1n : 0n })
    return this.look(`${seenOn}T12:00:00Z`)
  }

  look(at: string): this {
    this.state = evaluateTier(this.facts(at)).state
    return this
  }

  facts(at: string): TierFacts {
    return { ladder: this.#ladder, state: this.state, days: this.days, nowMs: Date.parse(at), timeZone: ZONE }
  }

  tier(at: string): string | undefined {
    return evaluateTier(this.facts(at)).state.tierId
  }

  progress(at: string) {
    const facts = this.facts(at)
    const { untilMs, ...rest } = tierProgress(facts, evaluateTier(facts).state)
    return { ...rest, until: Number.isFinite(untilMs) ? new Date(untilMs).toISOString() : 'never' }
  }
}

describe('tiers of a calendar year', () => {
  test('a receipt that crosses the threshold is earned in the old tier and lifts the member at once', () => {
    const member = new Member().buy('2026-06-01', 990_000n)
    assert.equal(member.state?.tierId, 'ruby')
    const before = member.state
    member.buy('2026-11-20', 15_000n)
    assert.equal(tierAt(before, Date.parse('2026-11-20T12:00:00Z')), 'ruby')
    assert.equal(member.state?.tierId, 'diamond')
    assert.equal(member.progress('2026-11-20T13:00:00Z').until, '2027-12-31T23:00:00.000Z')
  })

  test('a return before the year closes is seen by the closing: diamond to 31 December, ruby on 1 January', () => {
    const member = new Member().buy('2026-06-01', 990_000n).buy('2026-11-20', 15_000n)
    member.buy('2026-11-20', -15_000n, '2026-12-05')
    assert.equal(member.state?.tierId, 'diamond')
    assert.deepEqual(member.progress('2026-12-05T13:00:00Z'), {
      tierId: 'diamond',
      until: '2026-12-31T23:00:00.000Z',
      counted: 990_000_00n,
      toKeep: 10_000_00n,
      nextTierId: undefined,
      toNext: 0n,
      willDowngrade: true,
    })
    assert.equal(member.tier('2026-12-31T22:59:59Z'), 'diamond')
    assert.equal(member.tier('2026-12-31T23:00:00Z'), 'ruby')
  })

  test('a return after it has closed changes nothing: diamond to the end of the next year', () => {
    const member = new Member().buy('2026-06-01', 990_000n).buy('2026-11-20', 15_000n).look('2027-01-02T12:00:00Z')
    member.buy('2026-11-20', -15_000n, '2027-01-05')
    assert.equal(member.tier('2027-12-31T22:59:59Z'), 'diamond')
    assert.equal(member.tier('2027-12-31T23:00:00Z'), undefined)
  })

  test('a tier that was qualified for in a year is kept through the next', () => {
    const member = new Member().buy('2026-06-01', 600_000n)
    assert.equal(member.tier('2027-12-31T22:00:00Z'), 'ruby')
    assert.equal(member.tier('2028-01-01T12:00:00Z'), undefined)
  })

  test('a late receipt of the year before lifts, and none takes a tier away', () => {
    const member = new Member().buy('2026-06-01', 490_000n).look('2027-01-10T12:00:00Z')
    assert.equal(member.state?.tierId, 'sapphire')
    member.buy('2026-12-30', 20_000n, '2027-01-12')
    assert.equal(member.state?.tierId, 'ruby')
    assert.equal(member.tier('2027-12-31T22:00:00Z'), 'ruby')
  })

  test('the day is the one of the zone', () => {
    const member = new Member().buy('2026-06-01', 600_000n).look('2027-01-05T12:00:00Z')
    assert.equal(member.tier('2027-12-31T22:30:00Z'), 'ruby')
    assert.equal(member.tier('2027-12-31T23:30:00Z'), undefined)
  })
})

test('an upgrade may wait for the next window', () => {
  const member = new Member({ upgrade: 'next_window' }).buy('2026-06-01', 600_000n)
  assert.equal(member.state?.tierId, undefined)
  assert.equal(member.tier('2027-01-01T12:00:00Z'), 'ruby')
})

describe('whoever has not kept a tier', () => {
  const lost = (own: Partial<TierLadder>) => {
    const member = new Member(own).buy('2026-06-01', 1_000_000n).look('2027-06-01T12:00:00Z')
    return [member.tier('2027-12-31T12:00:00Z'), member.look('2028-01-01T12:00:00Z').tier('2028-01-01T12:00:00Z')]
  }
  test('goes one step down', () => assert.deepEqual(lost({ downgrade: 'one_step' }), ['diamond', 'ruby']))
  test('goes where the year has led', () => assert.deepEqual(lost({ downgrade: 'reassess' }), ['diamond', undefined]))
  test('keeps it for ever', () => assert.deepEqual(lost({ downgrade: 'never' }), ['diamond', 'diamond']))
  test('has the grace to make up for it, to the end of its month', () => {
    const late = () => new Member({ graceDays: 10 }).buy('2026-06-01', 1_000_000n).look('2027-06-01T12:00:00Z')
    assert.equal(late().tier('2028-01-31T22:59:59Z'), 'diamond')
    assert.equal(late().tier('2028-01-31T23:00:00Z'), undefined)
    assert.equal(late().buy('2028-01-20', 1_000_000n).tier('2028-02-01T12:00:00Z'), 'diamond')
    assert.equal(
      late().look('2028-01-05T12:00:00Z').buy('2027-12-31', 1_000_000n, '2028-01-06').tier('2028-02-01T12:00:00Z'),
      'diamond',
    )
  })
  test('keeps it as long as it is given by hand or frozen', () => {
    const member = new Member().buy('2026-06-01', 1_000n)
    assert(member.state !== undefined)
    const pinnedUntilMs = Date.parse('2029-01-01T00:00:00Z')
    member.state = { ...member.state, tierId: 'ruby', pinnedUntilMs }
    assert.equal(member.tier('2028-06-01T12:00:00Z'), 'ruby')
    assert.equal(
      member.tier('2029-06-01T12:00:00Z'),
      'ruby',
      'it was evaluated on 1 January, Berlin time, while pinned',
    )
    assert.equal(member.tier('2030-06-01T12:00:00Z'), undefined)
  })
})

test('a member year runs from the first purchase', () => {
  const member = new Member({ window: { kind: 'anniversary' } }).buy('2026-03-10', 300_000n)
  member.buy('2027-03-09', 200_000n)
  assert.equal(member.state?.tierId, 'ruby')
  assert.equal(member.tier('2028-03-09T22:59:00Z'), 'ruby')
  assert.equal(member.tier('2028-03-09T23:00:00Z'), undefined)
})

test('a rolling window forgets month by month, and each qualifying day moves the end of the holding', () => {
  const member = new Member({ window: { kind: 'rolling', months: 6, holdMonths: 3 } }).buy('2026-01-10', 500_000n)
  assert.equal(member.state?.tierId, 'ruby')
  assert.equal(member.tier('2026-04-10T21:59:00Z'), 'ruby')
  member.buy('2026-05-10', 1n)
  assert.equal(member.tier('2026-08-10T21:59:00Z'), 'ruby')
  assert.equal(member.tier('2026-08-10T22:00:00Z'), undefined)
})

test('points and visits are metrics, too', () => {
  assert.equal(new Member({ metric: 'points' }).buy('2026-06-01', 600_000n).state?.tierId, 'malachite')
  const visits = new Member({ metric: 'visits', tiers: [tier('regular', 3n)] })
  visits.buy('2026-06-01', 5n).buy('2026-06-02', 5n)
  assert.equal(visits.state?.tierId, undefined)
  assert.equal(visits.buy('2026-06-03', 5n).state?.tierId, 'regular')
})

test('an evaluation says what decided it', () => {
  const member = new Member().buy('2026-06-01', 600_000n)
  const { steps } = evaluateTier(member.facts('2028-02-01T12:00:00Z'))
  assert.deepEqual(
    steps.map(({ reason, fromTierId, toTierId, counted, span }) => [reason, fromTierId, toTierId, counted, span.from]),
    [
      ['kept', 'ruby', 'ruby', 600_000_00n, '2026-01-01'],
      ['lost', 'ruby', undefined, 0n, '2027-01-01'],
    ],
  )
})

test('a card shows what is missing to keep the tier and to the next one', () => {
  const member = new Member().buy('2026-06-01', 600_000n).look('2027-01-02T12:00:00Z').buy('2027-02-01', 200_000n)
  assert.deepEqual(member.progress('2027-02-01T13:00:00Z'), {
    tierId: 'ruby',
    until: '2027-12-31T23:00:00.000Z',
    counted: 200_000_00n,
    toKeep: 300_000_00n,
    nextTierId: 'diamond',
    toNext: 800_000_00n,
    willDowngrade: true,
  })
})

const dayOf = (offset: number) => new Date(Date.UTC(2026, 0, 1) + offset * 86_400_000).toISOString().slice(0, 10)
const histories = fc.array(
  fc.record({ offset: fc.integer({ min: 0, max: 900 }), money: fc.bigInt({ min: 1n, max: 600_000n }) }),
  { maxLength: 12 },
)

test('an evaluation changes nothing the second time, whatever the order of the days', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 0, max: 1_200 }), (history, at) => {
      const days = history.map(({ offset, money }) => {
        return { day: dayOf(offset), spendMinor: money * 100n, points: money, visits: 1n }
      })
      const nowMs = Date.parse(`${dayOf(at)}T12:00:00Z`)
      const seen = days.filter(({ day }) => day <= dayOf(at))
      const facts = { ladder, state: undefined, days: seen, nowMs, timeZone: ZONE }
      const { state } = evaluateTier(facts)
      const again = evaluateTier({ ...facts, state, days: seen.toReversed() })
      assert.deepEqual(again, { state, steps: [] })
    }),
    { numRuns: 300 },
  )
})

test('a purchase never takes a tier away, and a receipt in two parts counts as one', () => {
  fc.assert(
    fc.property(histories, fc.bigInt({ min: 2n, max: 600_000n }), (history, money) => {
      const member = new Member()
      for (const { offset, money: spent } of history.toSorted((a, b) => a.offset - b.offset)) {
        const rank = (id: string | undefined) => ladder.tiers.findIndex(({ tierId }) => tierId === id)
        const before = rank(member.tier(`${dayOf(offset)}T12:00:00Z`))
        member.buy(dayOf(offset), spent)
        assert(rank(member.state?.tierId) >= before)
      }
      const last = dayOf(901)
      const whole = Object.assign(new Member(), { state: member.state, days: [...member.days] }).buy(last, money)
      const parts = Object.assign(new Member(), { state: member.state, days: [...member.days] }).buy(last, 1n)
      parts.buy(last, money - 1n)
      assert.equal(parts.state?.tierId, whole.state?.tierId)
    }),
    { numRuns: 300 },
  )
})

test('a simulation counts who would move, and a ladder that stays moves nobody', () => {
  const at = '2026-11-20T12:00:00Z'
  const facts = [600_000n, 200_000n, 5n].map((money) => new Member().buy('2026-06-01', money).facts(at))
  assert.deepEqual(simulateLadder(facts, ladder), {
    up: 0,
    down: 0,
    same: 3,
    members: new Map([
      ['ruby', 1],
      ['sapphire', 1],
      ['', 1],
    ]),
  })
  const easier = { ...ladder, tiers: ladder.tiers.map((one) => ({ ...one, threshold: one.threshold / 4n })) }
  const { up, down, same } = simulateLadder(facts, easier)
  assert.deepEqual({ up, down, same }, { up: 2, down: 0, same: 1 })
})
