import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { undiscounted } from './discounts/basket.ts'
import { DAY_MS, Story, saleLine, testProgramme } from './fixture.ts'
import type { Programme } from './programme.ts'
import type { SaleRecord } from './sale.ts'

/** Sales; ten times as many with STAMPEDE_FULL=1. A failure prints the seed and the smallest sale that fails. */
const RUNS = process.env['STAMPEDE_FULL'] === '1' ? 100_000 : 10_000
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

const policies: fc.Arbitrary<Programme> = fc
  .record({
    returnPolicy: fc.constantFrom('unlimited' as const, 'within_balance' as const, 'only_pending' as const),
    debtLimit: fc.option(fc.bigInt(0n, 200n), { nil: undefined }),
    repayBasisPoints: fc.constantFrom(10_000n, 5_000n),
    pointValueMinor: fc.constantFrom(1n, 3n),
    spendUntilMs: fc.constantFrom(Number.POSITIVE_INFINITY, 20 * DAY_MS),
  })
  .map((rules) => ({ ...testProgramme, ...rules }))

test(`c10: any split of a full return at one instant ends as one full return (seed ${seed})`, () => {
  const scenario = fc.record({
    programme: policies,
    graceDays: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
    pendingDays: fc.constantFrom(0, 3, 30, Number.POSITIVE_INFINITY),
    owes: fc.option(fc.bigInt(1n, 300n), { nil: undefined }),
    earlier: fc.array(fc.record({ points: fc.bigInt(1n, 300n), days: fc.integer({ min: 2, max: 60 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    amounts: fc.array(fc.bigInt(1n, 9_000n), { minLength: 1, maxLength: 4 }),
    quantity: fc.bigInt(1n, 3n),
    pay: fc.integer({ min: 0, max: 100 }),
    spendAfter: fc.integer({ min: 0, max: 100 }),
    waitDays: fc.integer({ min: 0, max: 50 }),
    order: fc.array(fc.nat(100), { minLength: 12, maxLength: 12 }),
  })
  fc.assert(
    fc.property(scenario, (given) => {
      const { programme, graceDays, pendingDays, owes } = given
      const { earlier, amounts, quantity, pay, spendAfter, waitDays, order } = given
      const story = new Story()
      for (const { points, days } of earlier) story.grant(points, days * DAY_MS)
      const points = (story.account.available * BigInt(pay)) / 100n
      const payable = amounts.reduce((sum, amount) => sum + amount / programme.pointValueMinor, 0n)
      const capped = points < payable ? points : payable
      const decision = story.do({
        kind: 'sale',
        receiptId: 'sale',
        storeId: 'store',
        occurredAtMs: 0,
        basket: undiscounted(amounts.map((amount) => saleLine(amount, quantity))),
        programme,
        holdId: capped > 0n ? story.hold(capped) : '',
        pointsToPay: capped,
        tierHundredths: 100n,
        earnedTerm: { activatesAtMs: pendingDays * DAY_MS, expiresAtMs: 40 * DAY_MS },
        slidesToMs: undefined,
      })
      assert(decision.outcome.kind === 'sale')
      story.nowMs = waitDays * DAY_MS
      story.do({ kind: 'settle' })
      const spend = (story.account.available * BigInt(spendAfter)) / 100n
      if (spend > 0n) story.spend(spend)
      if (owes !== undefined) {
        const revoke = { kind: 'revoke', revokeId: 'debt', grantId: undefined, mayMakeDebt: true } as const
        story.do({ ...revoke, points: story.account.available + owes, occurredAtMs: 0, against: 'issued' })
      }
      const pieces = amounts.flatMap((_, lineIndex) => Array.from({ length: Number(quantity) }, () => lineIndex))
      const shuffled = pieces
        .map((lineIndex, index) => ({ lineIndex, rank: order[index] ?? 0 }))
        .sort((left, right) => left.rank - right.rank)
      const rules = { programme, graceDays }
      const all = [amounts.map((_, lineIndex) => ({ lineIndex, quantity }))]
      const whole = returnAll(story, decision.outcome.sale, all, rules)
      const parts = returnAll(
        story,
        decision.outcome.sale,
        shuffled.map(({ lineIndex }) => [{ lineIndex, quantity: 1n }]),
        rules,
      )
      assert.deepEqual(parts, whole)
    }),
    { numRuns: RUNS, seed },
  )
})

/** Returns in the given parts from the story's present state and says what came of it, ids of grace lots left out. */
function returnAll(
  story: Story,
  record: SaleRecord,
  parts: readonly (readonly { lineIndex: number; quantity: bigint }[])[],
  { programme, graceDays }: { readonly programme: Programme; readonly graceDays: number | undefined },
) {
  const branch = new Story('branch')
  branch.account = story.account
  branch.nowMs = story.nowMs
  let sale = record
  let refundMinor = 0n
  for (const lines of parts) {
    const decision = branch.do({
      kind: 'return',
      receiptId: 'return',
      occurredAtMs: branch.nowMs,
      sale,
      lines,
      policies: programme,
      graceExpiresAtMs: graceDays === undefined ? undefined : branch.nowMs + graceDays * DAY_MS,
    })
    assert(decision.outcome.kind === 'return')
    sale = decision.outcome.sale
    refundMinor += decision.outcome.refundMinor
  }
  const { available, pending, held, debt, lifetimeEarned, lots } = branch.account
  const left = [...lots.values()].map((lot) => [
    lot.originLotId ?? lot.lotId,
    lot.amount,
    lot.available,
    lot.pending,
    lot.expiresAtMs,
  ])
  left.sort()
  return { refundMinor, available, pending, held, debt, lifetimeEarned, left, reverseDebt: sale.reverseDebt }
}
